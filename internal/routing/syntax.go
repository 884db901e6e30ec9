package routing

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// The rules of api/v1alpha1 for single values, with the same words. They are checked here too, because without an API
// server nothing else does.
var (
	durationPattern  = regexp.MustCompile(`^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?([0-9]{1,6}ms)?$`)
	languagePattern  = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
	phonePattern     = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	emailPattern     = regexp.MustCompile(`^[^@\s]+@[^@\s]+$`)
	namePattern      = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
	tokenPattern     = regexp.MustCompile(`^[A-Za-z0-9_.-]{8,128}$`)
	originPattern    = regexp.MustCompile(`^https?://[^/?#@*\s]+$`)
	keyPattern       = regexp.MustCompile(`^[-._a-zA-Z0-9]+$`)
	selectorPattern  = regexp.MustCompile(`^[a-zA-Z0-9]([-a-zA-Z0-9_.]*[a-zA-Z0-9])?$`)
	subdomainPattern = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	eventPattern     = regexp.MustCompile(`^[a-z]+(_[a-z]+)*(\.[a-z]+(_[a-z]+)*)+$`)
	imagePattern     = regexp.MustCompile(`^[^\s]+$`)
	bracesPattern    = regexp.MustCompile(`\{[A-Za-z_]+\}`)
)

// What a value must be, for "must be".
const (
	languageHint = "a language such as en, de or pt-BR"
	phoneHint    = "a number such as +14155550100, without spaces"
	emailHint    = "an e-mail address such as alice@acme.example"
	nameHint     = "a name such as billing: lower-case letters, digits and dashes"
)

// objectName reports what cannot name an object of the cluster.
func (r *report) objectName(field, name string) {
	if name != "" && len(validation.IsDNS1123Subdomain(name)) > 0 {
		r.invalid(field, "%q cannot be the name of an object; write lower-case letters, digits, dashes and dots", name)
	}
}

// secretNames reports what cannot name a Secret or a key of one.
func (r *report) secretNames(uses []use) {
	for _, u := range uses {
		r.objectName(u.field+".name", u.secret)
		if u.key != "" && !keyPattern.MatchString(u.key) {
			r.invalid(u.field+".key", "%q cannot be a key of a Secret; write letters, digits, dashes, dots and underscores", u.key)
		}
	}
}

// host reports what is no host of the DNS, nor an address.
func (r *report) host(field, host string) {
	_, err := netip.ParseAddr(host)
	if err != nil && len(validation.IsDNS1123Subdomain(host)) > 0 {
		r.invalid(field, "%q must be a host name such as mail.acme.example, in lower case and without a port", host)
	}
}

// url reports what is no absolute URL of a web server.
func (r *report) url(field, value string) {
	if value == "" {
		return
	}
	u, err := url.ParseRequestURI(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		r.invalid(field, "%q must be a URL such as https://server.acme.example/path", value)
	}
}

// twice reports the items of a list that an item before them equals.
func twice[T ~string](r *report, field string, list []T) {
	for i, v := range list {
		if slices.Contains(list[:i], v) {
			r.invalid(index(field, i), "%q is listed twice; keep one", v)
		}
	}
}

// known reports the first name in braces that nothing replaces.
func (r *report) known(field, text string) {
	for _, v := range variables {
		text = strings.ReplaceAll(text, "{"+v+"}", "")
	}
	if unknown := bracesPattern.FindString(text); unknown != "" {
		r.invalid(field, "%q is replaced by nothing; known are {position}, {agent} and {wait}", unknown)
	}
}

package decide

import (
	"regexp"
	"strings"
)

var (
	addressRun = regexp.MustCompile(`[\p{L}\p{N}._%+'-]+@[\p{L}\p{N}.-]+`)
	// numberRun begins with a country code: without one a number cannot be called from everywhere.
	numberRun = regexp.MustCompile(`(?:\+|\b00)[ .-]?[1-9](?:[ ()./-]*[0-9])+`)
	domain    = regexp.MustCompile(`^(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?\.)+\p{L}(?:[\p{L}\p{N}-]*[\p{L}\p{N}])?$`)
	digits    = regexp.MustCompile(`[0-9]`)
)

const (
	// maxAddress, maxLocal and maxLabel are the limits of RFC 5321, section 4.5.3.1, and RFC 1035, section 2.3.4, in bytes.
	maxAddress = 254
	maxLocal   = 64
	maxLabel   = 63
	// minNumber and maxNumber are the digits of a telephone number with its country code, the latter by ITU-T E.164.
	minNumber = 8
	maxNumber = 15
	// fewWords is how many words a message has at most that is about the address in it and nothing else.
	fewWords = 6
	// someDigits is how many digits look like a telephone number.
	someDigits = 6
)

// Reachable is how a customer says they can be reached.
type Reachable struct {
	// Email is an address as it was written, Phone a number in E.164 form; empty where there is none.
	Email, Phone string
	// Alone is true where the message says nothing else.
	Alone bool
	// Attempt is true where the message seems to try, also if what it has cannot be an address or number.
	Attempt bool
}

// Contact reads the first e-mail address and the first telephone number in a message. They can be right: whether
// somebody has them is not known.
func Contact(text string) Reachable {
	r := Reachable{
		Alone:   len(strings.Fields(text)) <= fewWords,
		Attempt: strings.Contains(text, "@") || len(digits.FindAllString(text, someDigits)) == someDigits,
	}
	for _, run := range addressRun.FindAllString(text, -1) {
		if run = strings.Trim(run, ".-'"); validAddress(run) {
			r.Email = run
			break
		}
	}
	for _, run := range numberRun.FindAllString(addressRun.ReplaceAllString(text, " "), -1) {
		number := strings.TrimPrefix(strings.Join(digits.FindAllString(run, -1), ""), "00")
		if len(number) >= minNumber && len(number) <= maxNumber {
			r.Phone = "+" + number
			break
		}
	}
	return r
}

// validAddress says whether mail could be sent to an address: a local part of RFC 5321 without quotes, and a domain with
// a dot.
func validAddress(address string) bool {
	local, host, _ := strings.Cut(address, "@")
	if local == "" || len(local) > maxLocal || len(address) > maxAddress || !domain.MatchString(host) {
		return false
	}
	if strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") || strings.Contains(local, "..") {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if len(label) > maxLabel {
			return false
		}
	}
	return true
}

package manifest

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	kjson "sigs.k8s.io/json"
)

var (
	unknownField = regexp.MustCompile(`^unknown field "(.*)"$`)
	index        = regexp.MustCompile(`\[\d+\]`)
)

// decode reads JSON into an object. Every field it does not have is an error that names the nearest one it has.
func decode(raw []byte, into any) error {
	strict, err := kjson.UnmarshalStrict(raw, into)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range strict {
		if m := unknownField.FindStringSubmatch(e.Error()); m != nil {
			e = fmt.Errorf("unknown field %q%s", m[1], nearest(reflect.TypeOf(into), m[1]))
		}
		errs = append(errs, e)
	}
	return errors.Join(errs...)
}

// nearest suggests a field for the last part of a path such as "spec.routes[0].tragets".
func nearest(t reflect.Type, fieldPath string) string {
	parts := strings.Split(index.ReplaceAllString(fieldPath, ""), ".")
	for _, part := range parts[:len(parts)-1] {
		field, ok := fields(t)[part]
		if !ok {
			return ""
		}
		t = field
	}
	var known []string
	for name := range fields(t) {
		known = append(known, name)
	}
	return suggest(parts[len(parts)-1], known)
}

// fields are the JSON fields of a struct, also behind pointers and lists, with those of what it embeds.
func fields(t reflect.Type) map[string]reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	all := map[string]reflect.Type{}
	if t.Kind() != reflect.Struct {
		return all
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			for n, inner := range fields(f.Type) {
				all[n] = inner
			}
		case name != "" && name != "-":
			all[name] = f.Type
		}
	}
	return all
}

// suggest names the known word that is nearest to what was written, if one is near.
func suggest(written string, known []string) string {
	slices.Sort(known)
	best, least := "", max(2, len(written)/3)+1
	for _, k := range known {
		if d := distance(strings.ToLower(written), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return "; known are " + strings.Join(known, ", ")
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// distance is how many letters have to be inserted, removed or replaced to make b of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

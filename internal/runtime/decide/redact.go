package decide

import (
	"math/big"
	"regexp"
	"strings"
)

var (
	digitRun = regexp.MustCompile(`[0-9](?:[ .-]?[0-9]){12,18}`)
	ibanRun  = regexp.MustCompile(`(?i)\b[a-z]{2}[0-9]{2}(?: ?[a-z0-9]){11,30}`)
	password = regexp.MustCompile(`(?i)\b(pass ?word|passwort|kennwort|passcode|mot de passe|contraseña|wachtwoord|pin|كلمة (?:السر|المرور))` +
		`(?:\s+(?:is|are|was|ist|lautet|est|es|is:|هي)\s*:?|\s*[:=])\s*("[^"]*"|\S+)`)
)

// Redact replaces what must not be in a summary: payment card numbers (by length and check digit), IBANs (by check
// digits) and what follows "password is".
func Redact(s string) string {
	s = password.ReplaceAllString(s, "$1 [redacted]")
	s = ibanRun.ReplaceAllStringFunc(s, redactIBAN)
	return digitRun.ReplaceAllStringFunc(s, func(run string) string {
		if luhn(run) {
			return "[card number]"
		}
		return run
	})
}

func redactAll(parts []string) []string {
	for i, p := range parts {
		parts[i] = Redact(p)
	}
	return parts
}

// redactIBAN replaces the longest beginning of the run that is an IBAN: words may follow it with only a space between.
func redactIBAN(run string) string {
	for end := len(run); end >= 15; end-- {
		if run[end-1] == ' ' || end < len(run) && run[end] != ' ' && !strings.Contains(run, " ") {
			continue
		}
		if validIBAN(run[:end]) {
			return "[IBAN]" + run[end:]
		}
	}
	return run
}

// validIBAN checks ISO 13616: the first four characters moved to the end, letters as 10 to 35, modulo 97 is 1.
func validIBAN(s string) bool {
	s = strings.ToUpper(strings.ReplaceAll(s, " ", ""))
	if len(s) < 15 || len(s) > 34 {
		return false
	}
	var digits strings.Builder
	for _, r := range s[4:] + s[:4] {
		if r >= 'A' {
			digits.WriteString(big.NewInt(int64(r - 'A' + 10)).String())
		} else {
			digits.WriteRune(r)
		}
	}
	n, ok := new(big.Int).SetString(digits.String(), 10)
	return ok && new(big.Int).Mod(n, big.NewInt(97)).Int64() == 1
}

// luhn checks the check digit of ISO/IEC 7812 over the digits of s.
func luhn(s string) bool {
	sum, double, n := 0, false, 0
	for i := len(s) - 1; i >= 0; i-- {
		d := int(s[i]) - int('0')
		if d < 0 || d > 9 {
			continue
		}
		n++
		if double {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		double = !double
		sum += d
	}
	return n >= 13 && n <= 19 && sum%10 == 0
}

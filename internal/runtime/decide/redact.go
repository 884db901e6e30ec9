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
		if cardNumber(run) {
			return "[card number]"
		}
		return run
	})
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

// cardNumber reports whether the digits of s are a payment card's number: a length and first digit that cards have
// (ISO/IEC 7812), and its check digit. An order number of the same length passes for one in about ten cases.
func cardNumber(s string) bool {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
	first, ok := cardBeginnings[len(digits)]
	return ok && strings.IndexByte(first, digits[0]) >= 0 && luhn(digits)
}

// cardBeginnings are the first digits of card numbers by length.
var cardBeginnings = map[int]string{13: "4", 14: "3", 15: "3", 16: "23456", 17: "6", 18: "6", 19: "46"}

// luhn checks the last digit by ISO/IEC 7812-1, annex B.
func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i]) - '0'
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

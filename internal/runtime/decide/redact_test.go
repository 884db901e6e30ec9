package decide

import "testing"

func TestRedact(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{"my card is 4111 1111 1111 1111 ok", "my card is [card number] ok"},
		{"4111-1111-1111-1111", "[card number]"},
		{"4111111111111111.", "[card number]."},
		{"amex 378282246310005", "amex [card number]"},
		{"order 4111111111111112", "order 4111111111111112"},
		{"call +49 30 901820", "call +49 30 901820"},
		{"purchase 113542617735902", "purchase 113542617735902"},
		{"IBAN DE89 3704 0044 0532 0130 00 please", "IBAN [IBAN] please"},
		{"gb82west12345698765432", "[IBAN]"},
		{"DE89 3704 0044 0532 0130 01", "DE89 3704 0044 0532 0130 01"},
		{"My password is hunter2, help", "My password [redacted] help"},
		{"password: \"open sesame\" ok", "password [redacted] ok"},
		{"Mein Passwort lautet geheim", "Mein Passwort [redacted]"},
		{"PIN=1234", "PIN [redacted]"},
		{"I forgot my password", "I forgot my password"},
		{"the pin is", "the pin is"},
	}
	for _, test := range tests {
		if got := Redact(test.in); got != test.want {
			t.Errorf("%q: %q, want %q", test.in, got, test.want)
		}
		if again := Redact(test.want); again != test.want {
			t.Errorf("%q is redacted again: %q", test.want, again)
		}
	}
}

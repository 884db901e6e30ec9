package postgrestest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Authority is a private certificate authority.
type Authority struct {
	// File has its certificate, as sslrootcert wants it.
	File string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewAuthority makes an authority, whose file goes with the test.
func NewAuthority(tb testing.TB) *Authority {
	tb.Helper()
	a := &Authority{File: filepath.Join(tb.TempDir(), "ca.crt"), key: newKey(tb)}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	a.cert = a.sign(tb, template, template, a.key)
	writePEM(tb, a.File, "CERTIFICATE", a.cert.Raw)
	return a
}

// StartTLS runs a server that the test has for itself, whose certificate is for 127.0.0.1.
func StartTLS(tb testing.TB, a *Authority) *Server {
	tb.Helper()
	Needed(tb)
	dir := tb.TempDir()
	crt, key := filepath.Join(dir, "server.crt"), filepath.Join(dir, "server.key")
	own := newKey(tb)
	cert := a.sign(tb, &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "postgres"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}, a.cert, own)
	writePEM(tb, crt, "CERTIFICATE", cert.Raw)
	der, err := x509.MarshalECPrivateKey(own)
	if err != nil {
		tb.Fatal(err)
	}
	writePEM(tb, key, "EC PRIVATE KEY", der)
	if c := credential(); c != nil {
		for _, file := range []string{filepath.Dir(dir), dir, crt, key} {
			if err := os.Chown(file, int(c.Uid), int(c.Gid)); err != nil {
				tb.Fatal(err)
			}
		}
	}
	return Start(tb, "ssl=on", "ssl_cert_file="+crt, "ssl_key_file="+key)
}

// TLS is the DSN of a server with TLS, which is verified in full against an authority.
func (s *Server) TLS(host string, a *Authority) string {
	return fmt.Sprintf("postgres://handoff@%s:%d/postgres?sslmode=verify-full&sslrootcert=%s", host, s.Port, a.File)
}

func newKey(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// sign makes the certificate of a key.
func (a *Authority) sign(tb testing.TB, template, parent *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	tb.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, a.key)
	if err != nil {
		tb.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return cert
}

func writePEM(tb testing.TB, file, kind string, der []byte) {
	tb.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		tb.Fatal(err)
	}
}

package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestTLSConfig says for each address and mode what is decided: none, verify NAME, skip, or an error.
func TestTLSConfig(t *testing.T) {
	tests := []struct{ url, want string }{
		{"mysql://127.0.0.1/", "none"},
		{"mysql://127.9.9.9:3307/", "none"},
		{"mysql://[::1]/", "none"},
		{"mysql://[::ffff:127.0.0.1]/", "none"},
		{"mysql://localhost/", "none"},
		{"mysql://LocalHost./", "none"},
		{"mysql:///?socket=/a", "none"},
		{"mysql://localhost.example.com/", "verify localhost.example.com"},
		{"mysql://127.0.0.1.example.com/", "verify 127.0.0.1.example.com"},
		{"mysql://0.0.0.0/", "verify 0.0.0.0"},
		{"mysql://10.0.0.1/", "verify 10.0.0.1"},
		{"mysql://[2001:db8::1]/", "verify 2001:db8::1"},
		{"mysql://db/", "verify db"},
		{"mysql://db/?tls=required", "verify db"},
		{"mysql://db/?tls=verify", "verify db"},
		{"mysql://db/?tls=true&tls-server-name=other", "verify other"},
		{"mysql://db/?tls-server-name=other", "verify other"},
		{"mysql://db/?tls=skip-verify", "skip"},
		{"mysql://db/?tls=off", "none"},
		{"mysql://db/?tls=false", "none"},
		{"mysql://db/?tls=preferred", "fall back to plain text"},
		{"mysql://localhost/?tls=preferred", "none"},
		{"mysql://localhost/?tls=true", "verify localhost"},
		{"mysql://localhost/?tls=skip-verify", "skip"},
		{"mysql://localhost/?tls-server-name=db", "verify db"},
		{"mysql:///?socket=/a&tls=true", "no host name to verify"},
		{"mysql:///?socket=/a&tls=true&tls-server-name=db", "verify db"},
		{"mysql:///?socket=/a&tls=skip-verify", "skip"},
		{"mysql://db/?tls-ca=/does/not/exist", "read tls-ca"},
		{"mysql://db/?tls-cert=/does/not/exist&tls-key=/x", "read tls-cert with tls-key"},
	}
	for _, tt := range tests {
		target, err := ParseURL(tt.url)
		if err != nil {
			t.Errorf("%s: %v", tt.url, err)
			continue
		}
		got := decision(target)
		if failed := strings.HasPrefix(got, "error: target mysql://"); !failed && got != tt.want || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s, want %s", tt.url, got, tt.want)
		}
	}
	if got := decision(Target{Kind: "mariadb"}); got != "none" {
		t.Errorf("a server that rig makes: %s", got)
	}
}

func decision(target Target) string {
	c, err := target.TLSConfig()
	switch {
	case err != nil && c == nil:
		return "error: " + err.Error()
	case err != nil:
		return "both a configuration and an error"
	case c == nil:
		return "none"
	case c.MinVersion < tls.VersionTLS12:
		return "old version"
	case c.InsecureSkipVerify:
		return "skip"
	}
	return "verify " + c.ServerName
}

// TestHandshake makes real handshakes: what is verified is verified against the CA that the target names alone.
func TestHandshake(t *testing.T) {
	dir := t.TempDir()
	server := certificate(t, dir, "good.pem", "db.test")
	certificate(t, dir, "other.pem", "db.test")
	if err := os.WriteFile(filepath.Join(dir, "none.pem"), []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ host, query, want string }{
		{"db.test", "tls-ca=" + dir + "/good.pem", ""},
		{"elsewhere.test", "tls-ca=" + dir + "/good.pem", "not elsewhere.test"},
		{"elsewhere.test", "tls-server-name=db.test&tls-ca=" + dir + "/good.pem", ""},
		{"db.test", "tls-ca=" + dir + "/other.pem", "unknown authority"},
		{"db.test", "tls=true", "unknown authority"},
		{"db.test", "tls=skip-verify", ""},
		{"db.test", "tls-ca=" + dir + "/none.pem", "holds no certificate"},
	}
	for _, tt := range tests {
		target, err := ParseURL("mysql://" + tt.host + "/?" + tt.query)
		if err != nil {
			t.Fatal(err)
		}
		c, err := target.TLSConfig()
		if err == nil {
			err = shake(t, c, server)
		}
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s?%s: %v, want %q", tt.host, tt.query, err, tt.want)
		}
	}
}

// shake uses a real connection: on a net.Pipe an alert and the server's next record would wait for each other.
func shake(t *testing.T, client *tls.Config, server tls.Certificate) error {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	deadline := time.Now().Add(10 * time.Second)
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_ = c.SetDeadline(deadline)
		_ = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{server}}).Handshake() // the client's side is what is asked
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(deadline)
	err = tls.Client(c, client).Handshake()
	c.Close()
	<-done
	return err
}

// certificate makes a self-signed certificate and writes it into dir.
func certificate(t *testing.T, dir, name, host string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	data := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

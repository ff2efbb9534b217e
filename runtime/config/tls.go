package config

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
)

// The modes of TLS. tlsRequired and tlsVerify are one thing: encryption without verification must be named skip-verify.
const (
	tlsOff        = "off"
	tlsRequired   = "required"
	tlsVerify     = "verify"
	tlsSkipVerify = "skip-verify"
	tlsPreferred  = "preferred"
)

func tlsModes() []string {
	return []string{tlsOff, tlsRequired, tlsVerify, tlsSkipVerify, tlsPreferred}
}

// TLS says how the connection to a target is made safe. Mode "" leaves it to where the server is. CA, Cert and Key are
// paths of PEM files.
type TLS struct {
	Mode                      string
	CA, Cert, Key, ServerName string
}

// tlsMode reads a mode, or the driver's true and false.
func tlsMode(s string) (string, error) {
	switch strings.ToLower(s) {
	case "true", "1":
		return tlsVerify, nil
	case "false", "0":
		return tlsOff, nil
	}
	for _, m := range tlsModes() {
		if strings.EqualFold(s, m) {
			return m, nil
		}
	}
	return "", &Problem{Message: "tls must be " + oneOf(append([]string{"true", "false"}, tlsModes()...)), Hint: didYouMean(s, tlsModes())}
}

// conflict names the first setting that the mode makes meaningless; "" where all fit.
func (t TLS) conflict() (name, why string) {
	given := []struct{ name, value string }{{"tls-ca", t.CA}, {"tls-cert", t.Cert}, {"tls-key", t.Key}, {"tls-server-name", t.ServerName}}
	for _, g := range given {
		switch {
		case g.value == "":
		case t.Mode == tlsOff:
			return g.name, g.name + " has no use while tls is off"
		case t.Mode == tlsSkipVerify && g.name == "tls-ca":
			return g.name, "tls-ca has no use while tls is skip-verify, which verifies nothing"
		}
	}
	switch {
	case t.Cert != "" && t.Key == "":
		return "tls-cert", "tls-cert needs tls-key, the private key of the certificate"
	case t.Key != "" && t.Cert == "":
		return "tls-key", "tls-key needs tls-cert, the certificate of the private key"
	}
	return "", ""
}

// mode is what Mode "" stands for. Naming any certificate asks for TLS.
func (t Target) mode() string {
	switch {
	case t.TLS.Mode != "":
		return t.TLS.Mode
	case t.local() && t.TLS == (TLS{}):
		return tlsOff
	}
	return tlsVerify
}

// TLSConfig decides how the connection is made safe; nil means without TLS. Off this machine TLS is required, and the
// certificate verified, unless the target says tls=off or tls=skip-verify; unix sockets and loopback do without unless
// asked. tls=preferred, which falls back to plain text in silence, is therefore none on this machine and an error off it.
// The error is a [*Problem] with a hint; it also tells of certificates that cannot be read.
func (t Target) TLSConfig() (*tls.Config, error) {
	if t.Kind != kindDSN {
		return nil, nil
	}
	mode := t.mode()
	if mode == tlsPreferred {
		if t.local() {
			return nil, nil
		}
		return nil, t.problem("tls=preferred would fall back to plain text in silence", "say tls=verify, or by name tls=skip-verify or tls=off")
	}
	if mode == tlsOff {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.TLS.ServerName, InsecureSkipVerify: mode == tlsSkipVerify}
	if c.ServerName == "" {
		c.ServerName = t.host()
	}
	if c.ServerName == "" && !c.InsecureSkipVerify {
		return nil, t.problem("a unix socket has no host name to verify the certificate by", "set tls-server-name, or leave tls out: nobody reads a socket")
	}
	if err := t.certificates(c); err != nil {
		return nil, err
	}
	return c, nil
}

func (t Target) problem(message, hint string) *Problem {
	return &Problem{Where: t.Origin.Where, Message: "target " + t.String() + ": " + message, Hint: hint}
}

// certificates reads the files that the target names into c.
func (t Target) certificates(c *tls.Config) error {
	if t.TLS.CA != "" {
		pem, err := os.ReadFile(t.TLS.CA)
		if err != nil {
			return t.problem(fmt.Sprintf("read tls-ca: %v", err), "")
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return t.problem(fmt.Sprintf("tls-ca %s holds no certificate", t.TLS.CA), "it must be a PEM file: -----BEGIN CERTIFICATE-----")
		}
	}
	if t.TLS.Cert != "" {
		pair, err := tls.LoadX509KeyPair(t.TLS.Cert, t.TLS.Key)
		if err != nil {
			return t.problem(fmt.Sprintf("read tls-cert with tls-key: %v", err), "")
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return nil
}

package authority

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Trust is what makes programs trust an authority beside the system's.
type Trust struct {
	// Env are variables that OpenSSL knows, and with it Go and Rust.
	Env map[string]string
	// Roots is how many certificates the file has, the authority's included.
	Roots int
}

// Trust writes the system's roots and the authority's below a folder, as Amazon Linux 2023 keeps its roots: in one file, in a folder that
// has nothing else.
func (a *Authority) Trust(folder string) (Trust, error) {
	var roots []byte
	for _, name := range []string{
		"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem",
	} {
		found, err := os.ReadFile(name)
		if err == nil {
			roots = found
			break
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return Trust{}, err
		}
	}
	roots = append(roots, a.PEM()...)
	dir := filepath.Join(folder, "certs")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return Trust{}, err
	}
	name := filepath.Join(dir, "ca-bundle.crt")
	return Trust{
		Env:   map[string]string{"SSL_CERT_FILE": name, "SSL_CERT_DIR": dir},
		Roots: bytes.Count(roots, []byte("BEGIN CERTIFICATE")),
	}, os.WriteFile(name, roots, 0o600)
}

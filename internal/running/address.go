package running

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// addressName is the file in the folder of a golam watch that holds its URL and its secret. It goes when that golam ends.
const addressName = "address"

// Announce writes down where the server listens, for other golams of this user. Folder is that of [build.Live].
func (s *Server) Announce(folder, url string) error {
	name := filepath.Join(folder, addressName)
	// Another golam may be reading, so the file appears as a whole.
	err := os.WriteFile(name+".new", []byte(url+"\n"+s.secret+"\n"), 0o600)
	if err == nil {
		err = os.Rename(name+".new", name)
	}
	if err != nil {
		return fmt.Errorf("write down the address for other golams: %w", err)
	}
	return nil
}

// readAddress reads what Announce wrote. It ignores a file that other users can read or write.
func readAddress(name string) (url, secret string, found bool) {
	info, err := os.Lstat(name)
	if err != nil || !info.Mode().IsRegular() || !onlyOwn(info) {
		return "", "", false
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return "", "", false
	}
	url, secret, found = strings.Cut(strings.TrimSuffix(string(content), "\n"), "\n")
	return url, secret, found && strings.HasPrefix(url, "http://") && len(secret) == len(newSecret())
}

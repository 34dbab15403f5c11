package watch

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/golam-cli/golam/internal/eventbus"
	"github.com/golam-cli/golam/internal/files"
)

// bus is the local EventBridge, with a file of rules.
type bus struct {
	*eventbus.Bus
	name, file string // of the file: as the user names it, and its absolute path
	rules      string // what is in force
}

// The account and region that functions see.
const (
	region  = "us-east-1"
	account = "123456789012"
)

func (s *Session) newBus() (*bus, error) {
	file, err := absolute(s.options.Rules)
	if err != nil {
		return nil, err
	}
	return &bus{name: s.options.Rules, file: file, Bus: eventbus.New(eventbus.Config{
		Region: region, Account: account, Deliver: s.deliver,
		Seen: func(d eventbus.Delivered) { s.tell(Event{Type: EventBus, Bus: &d}) },
	})}, nil
}

func (b *bus) accepts(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("X-Amz-Target"), "AWSEvents.")
}

func (b *bus) variables(url string) map[string]string {
	return map[string]string{"AWS_ENDPOINT_URL_EVENTBRIDGE": url, "EVENT_BUS_NAME": "default"}
}

func (b *bus) path() string { return b.file }

func (b *bus) load() (note string, err error) {
	text, err := files.Read(b.file, eventbus.MaxRules)
	var rules []eventbus.Rule
	if err == nil {
		rules, err = eventbus.ParseRules(text)
	}
	if err != nil {
		return "", fmt.Errorf("the rules in %s: %w", filepath.Base(b.file), err)
	}
	if string(text) == b.rules {
		return "", nil
	}
	b.SetRules(rules)
	b.rules = string(text)
	return fmt.Sprintf("%s: %d rules", b.name, len(rules)), nil
}

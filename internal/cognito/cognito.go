// Package cognito judges the answers of pre token generation triggers. It does with an answer what Amazon Cognito would do, as far as AWS
// documents it, and lists what Cognito would refuse.
//
// What belongs here: the rules of Cognito, and what follows from them for the tokens of one event. What does not: running functions,
// printing, and anything that a generated function uses, since a judge shares no code with those it judges.
//
// The source, where no other is named, is the Amazon Cognito Developer Guide, "Pre token generation Lambda trigger". What it leaves open
// is said where it is decided.
package cognito

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Outcome is what becomes of one answer.
type Outcome struct {
	// Version of the trigger: "1", "2" or "3". Versions 2 and 3 have the same shape; only 3 is called for machines.
	Version string `json:"version"`
	// Source is the event's triggerSource.
	Source string `json:"triggerSource"`
	// Refused says that Cognito cannot read the answer ("Unrecognizable lambda output"), so the sign-in fails and no token is made.
	Refused bool `json:"refused"`
	// IDToken is nil if none is made: for machines, and for a sign-in with managed login that does not ask for the scope openid.
	IDToken *Token `json:"idToken"`
	// AccessToken is nil if none is made, which is so when the answer is refused.
	AccessToken *Token `json:"accessToken"`
	// Findings are in the order in which they were met.
	Findings []Finding `json:"findings"`
}

// Failed reports whether a finding is more than a warning.
func (o Outcome) Failed() bool {
	return slices.ContainsFunc(o.Findings, func(f Finding) bool { return f.Severity != Warning })
}

// OnlyLosses reports whether the answer fails although Cognito refuses nothing of it: users lose something that it does not mention.
func (o Outcome) OnlyLosses() bool {
	return o.Failed() && !slices.ContainsFunc(o.Findings, func(f Finding) bool { return f.Severity == Error })
}

// Token is what is known of a token's payload. Claims that only the moment of signing decides (exp, iat, jti and the like) are not in it.
type Token struct {
	// Claims in a steady order, Cognito's own first; those that the trigger suppressed are among them.
	Claims []Claim `json:"claims"`
	// Groups is what cognito:groups holds.
	Groups []string `json:"groups"`
	// Scopes of an access token. They are nil for version 1, whose events don't tell them.
	Scopes []string `json:"scopes"`
}

// Claim is one claim and what the trigger did to it.
type Claim struct {
	Name string `json:"name"`
	// Value is compact JSON, numbers digit for digit as they came. That of a suppressed claim is what the token would have held.
	Value json.RawMessage `json:"value"`
	Mark  Mark            `json:"mark"`
}

// Mark is what the trigger did to a claim.
type Mark string

// The marks.
const (
	Kept       Mark = "kept" // Cognito's own
	Added      Mark = "added"
	Changed    Mark = "changed"
	Suppressed Mark = "suppressed"
)

// Claim looks a claim up by name.
func (t *Token) Claim(name string) (Claim, bool) {
	if t == nil {
		return Claim{}, false
	}
	i := slices.IndexFunc(t.Claims, func(c Claim) bool { return c.Name == name })
	if i < 0 {
		return Claim{}, false
	}
	return t.Claims[i], true
}

// Payload is the JSON object of the claims that the token holds, without those that were suppressed.
func (t *Token) Payload() json.RawMessage {
	var payload bytes.Buffer
	payload.WriteByte('{')
	for _, claim := range t.Claims {
		if claim.Mark == Suppressed {
			continue
		}
		if payload.Len() > 1 {
			payload.WriteByte(',')
		}
		payload.Write(encode(claim.Name))
		payload.WriteByte(':')
		payload.Write(claim.Value)
	}
	payload.WriteByte('}')
	return payload.Bytes()
}

// Finding is something about an answer that its author should know. It names claims and scopes, and never a value.
type Finding struct {
	Severity Severity `json:"severity"`
	// Subject is what it is about: the answer, a part of it, a claim of a token.
	Subject string `json:"subject"`
	// Text goes on after the subject and says what Cognito does.
	Text string `json:"text"`
}

// String is the finding on one line.
func (f Finding) String() string { return fmt.Sprintf("%s: %s %s", f.Severity, f.Subject, f.Text) }

// Severity of a finding.
type Severity string

// The severities.
const (
	// Error: Cognito refuses the answer or a part of it.
	Error Severity = "error"
	// Loss: Cognito accepts the answer, and users lose something that it does not mention.
	Loss Severity = "loss"
	// Warning: Cognito takes it, but it is not likely to be meant.
	Warning Severity = "warning"
)

// ErrNotEvent is why [Apply] gives no outcome.
var ErrNotEvent = errors.New("not an event of Cognito's pre token generation trigger")

// Apply does to the tokens of an event what a function's answer asks for. Whatever is wrong with the answer becomes a finding.
//
// The error wraps [ErrNotEvent] and says nothing of what the event holds.
func Apply(event, answer []byte) (Outcome, error) {
	sent, err := parseEvent(event)
	if err != nil {
		return Outcome{}, fmt.Errorf("%w: %w", ErrNotEvent, err)
	}
	j := &judge{event: sent, found: map[Finding]bool{}}
	wanted := j.read(answer)
	outcome := Outcome{Version: sent.version, Source: sent.source}
	if !j.refused {
		outcome.IDToken, outcome.AccessToken = j.tokens(wanted)
	}
	outcome.Refused, outcome.Findings = j.refused, j.findings
	return outcome, nil
}

// judge gathers what is found on the way.
type judge struct {
	event    event
	findings []Finding
	found    map[Finding]bool
	refused  bool
}

func (j *judge) find(severity Severity, subject, format string, args ...any) {
	finding := Finding{Severity: severity, Subject: subject, Text: fmt.Sprintf(format, args...)}
	if !j.found[finding] {
		j.found[finding] = true
		j.findings = append(j.findings, finding)
	}
}

// refuse reports what keeps Cognito from reading the answer.
func (j *judge) refuse(subject, text string) {
	j.refused = true
	j.find(Error, subject, "%s", text)
}

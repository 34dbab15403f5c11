// Package pretoken holds the wire types of Cognito's pre token generation trigger, version 2: what Cognito sends, read tolerantly, and
// what it expects back, written exactly. What goes into a token is not decided here.
//
// Source: Amazon Cognito Developer Guide, "Pre token generation Lambda trigger".
package pretoken

import (
	"errors"

	"example.com/sam-collector/internal/rawjson"
)

// Version is the trigger version that this package speaks. It is set as LambdaVersion V2_0 in the user pool.
const Version = "2"

// TriggerSource tells why Cognito is about to make tokens.
type TriggerSource string

// The trigger sources of version 2.
const (
	HostedAuth           TriggerSource = "TokenGeneration_HostedAuth"
	Authentication       TriggerSource = "TokenGeneration_Authentication"
	NewPasswordChallenge TriggerSource = "TokenGeneration_NewPasswordChallenge"
	AuthenticateDevice   TriggerSource = "TokenGeneration_AuthenticateDevice"
	RefreshTokens        TriggerSource = "TokenGeneration_RefreshTokens"
)

// Known tells that Cognito sends the trigger source in this version.
func (t TriggerSource) Known() bool {
	switch t {
	case HostedAuth, Authentication, NewPasswordChallenge, AuthenticateDevice, RefreshTokens:
		return true
	}
	return false
}

// Event is one call of the trigger. What Cognito leaves out, sends as null or sends in an unexpected shape is empty.
type Event struct {
	TriggerSource TriggerSource
	Region        string
	UserPoolID    string
	UserName      string
	// ClientID names the app client that the tokens are for.
	ClientID string
	// Attributes are the user's, with values as text: "email_verified" is "true" or "false".
	Attributes map[string]string
	// Groups are the user's, in the order that Cognito sends.
	Groups []string
	// Scopes are those that the access token is about to have.
	Scopes []string
	// ClientMetadata is whatever the caller of the sign-in sent along: never take it as proof of anything.
	ClientMetadata map[string]string

	members []member
	size    int // of the event in bytes
}

// byteOrderMark is what some editors put before a text in UTF-8.
const byteOrderMark = "\ufeff"

// usualResponse is the size that most responses stay below, in bytes.
const usualResponse = 1024

// member is one top-level member of the event as it came.
type member struct {
	name  string
	value rawjson.Value
}

// Parse reads an event. Unknown members are kept for the answer, so the payload must not change. An error says nothing of its content.
func Parse(payload []byte) (*Event, error) {
	whole, err := rawjson.Parse(payload)
	switch {
	case len(payload) >= len(byteOrderMark) && string(payload[:len(byteOrderMark)]) == byteOrderMark:
		return nil, errByteOrderMark
	case err != nil || whole.Kind() != '{':
		return nil, errNotObject
	}
	event := &Event{members: make([]member, 0, 8), size: len(payload)}
	for name, value := range whole.Members() {
		event.members = append(event.members, member{name, value})
		switch name {
		case "version":
			if version := text(value); version != "" && version != Version {
				return nil, errVersion
			}
		case "triggerSource":
			event.TriggerSource = TriggerSource(text(value))
		case "region":
			event.Region = text(value)
		case "userPoolId":
			event.UserPoolID = text(value)
		case "userName":
			event.UserName = text(value)
		case "callerContext":
			event.ClientID = text(value.Member("clientId"))
		case "request":
			event.readRequest(value)
		}
	}
	return event, nil
}

func (e *Event) readRequest(request rawjson.Value) {
	for name, value := range request.Members() {
		switch name {
		case "userAttributes":
			e.Attributes = textByName(value)
		case "groupConfiguration":
			e.Groups = texts(value.Member("groupsToOverride"))
		case "scopes":
			e.Scopes = texts(value)
		case "clientMetadata":
			e.ClientMetadata = textByName(value)
		}
	}
}

// Answer returns the event as it came, the request to the byte, with the response that Cognito is to act on.
func (e *Event) Answer(response Response) []byte {
	var answer, overrides rawjson.Object
	answer.Grow(e.size + usualResponse)
	for _, member := range e.members {
		if member.name != "response" {
			answer.Add(member.name, member.value)
		}
	}
	details := rawjson.Value("null")
	if !response.IsZero() {
		details = response.value()
	}
	overrides.Add("claimsAndScopeOverrideDetails", details)
	answer.Add("response", overrides.Value())
	return answer.Value()
}

var (
	errNotObject     = errors.New("event is not a JSON object")
	errByteOrderMark = errors.New("event begins with a byte order mark, which is no part of JSON: save it as UTF-8 without one")
	errVersion       = errors.New("event is not of version " + Version +
		": set LambdaVersion to V" + Version + "_0 in the user pool's PreTokenGenerationConfig")
)

// text reads a JSON string, number or boolean as text, and anything else as nothing.
func text(value rawjson.Value) string {
	switch value.Kind() {
	case '"':
		return value.Text()
	case '{', '[', 'n', 0:
		return ""
	}
	return string(value)
}

func textByName(object rawjson.Value) map[string]string {
	found := map[string]string{}
	for name, value := range object.Members() {
		if text := text(value); text != "" {
			found[name] = text
		}
	}
	return found
}

func texts(array rawjson.Value) []string {
	var found []string
	for value := range array.Elements() {
		if text := text(value); text != "" {
			found = append(found, text)
		}
	}
	return found
}

// Package pretoken holds the wire types of Cognito's pre token generation trigger, in all of its versions: it reads what Cognito sends,
// tolerantly, and writes what Cognito expects back, exactly. It does not decide what goes into a token.
//
// Source: Amazon Cognito Developer Guide, "Pre token generation Lambda trigger".
package pretoken

import (
	"errors"

	"example.com/two-customizers/internal/platform/rawjson"
)

// Event is one call of the trigger. A field is empty if Cognito leaves it out, sends it as null or sends it in an unexpected shape.
type Event struct {
	TriggerSource TriggerSource
	Region        string
	UserPoolID    string
	UserName      string
	// ClientID is the app client that the tokens are for.
	ClientID string
	// Attributes are the user's, with values as text: "email_verified" is "true" or "false".
	Attributes map[string]string
	// Groups are the user's, in the order that Cognito sends.
	Groups []string
	// Scopes are those that the access token is about to have. Version 1 does not send them.
	Scopes []string
	// ClientMetadata is sent along by the caller of the sign-in: never take it as proof of anything.
	ClientMetadata map[string]string

	version Version
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

// Parse reads an event of the version. It keeps unknown members for the answer, so the payload must not change. Its errors reveal nothing
// of the event.
func Parse(payload []byte, version Version) (*Event, error) {
	whole, err := rawjson.Parse(payload)
	switch {
	case len(payload) >= len(byteOrderMark) && string(payload[:len(byteOrderMark)]) == byteOrderMark:
		return nil, errByteOrderMark
	case err != nil || whole.Kind() != '{':
		return nil, errNotObject
	}
	event := &Event{version: version, members: make([]member, 0, 8), size: len(payload)}
	for name, value := range whole.Members() {
		event.members = append(event.members, member{name, value})
		switch name {
		case "version":
			if sent := text(value); sent != "" && sent != version.String() {
				return nil, errors.New("event is not of version " + version.String() +
					": set LambdaVersion to V" + version.String() + "_0 in the user pool's PreTokenGenerationConfig")
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

var (
	errNotObject     = errors.New("event is not a JSON object")
	errByteOrderMark = errors.New("event begins with a byte order mark, which is not part of JSON: save it as UTF-8 without one")
)

// text reads a JSON string, number or boolean as text, and anything else as empty.
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

// Package pretoken holds the wire types of Cognito's pre token generation trigger, version 2: what Cognito sends, read tolerantly, and
// what it expects back, written exactly. What goes into a token is not decided here.
//
// Source: Amazon Cognito Developer Guide, "Pre token generation Lambda trigger".
package pretoken

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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

	fields []field
}

// field is one top-level member of the event as it came.
type field struct {
	name  string
	value json.RawMessage
}

// Parse reads an event. Unknown fields are kept for the answer. An error says nothing of the event's content.
func Parse(payload []byte) (*Event, error) {
	var wire struct {
		Version       text `json:"version"`
		TriggerSource text `json:"triggerSource"`
		Region        text `json:"region"`
		UserPoolID    text `json:"userPoolId"`
		UserName      text `json:"userName"`
		CallerContext struct {
			ClientID text `json:"clientId"`
		} `json:"callerContext"`
		Request struct {
			UserAttributes     map[string]text `json:"userAttributes"`
			GroupConfiguration struct {
				GroupsToOverride []text `json:"groupsToOverride"`
			} `json:"groupConfiguration"`
			Scopes         []text          `json:"scopes"`
			ClientMetadata map[string]text `json:"clientMetadata"`
		} `json:"request"`
	}
	// A value of an unexpected type is skipped and the rest is still read (encoding/json, Unmarshal).
	var mismatch *json.UnmarshalTypeError
	if err := json.Unmarshal(payload, &wire); err != nil && !errors.As(err, &mismatch) {
		return nil, errNotObject
	}
	fields, err := topLevel(payload)
	if err != nil {
		return nil, err
	}
	if wire.Version != "" && wire.Version != Version {
		return nil, errVersion
	}
	return &Event{
		TriggerSource:  TriggerSource(wire.TriggerSource),
		Region:         string(wire.Region),
		UserPoolID:     string(wire.UserPoolID),
		UserName:       string(wire.UserName),
		ClientID:       string(wire.CallerContext.ClientID),
		Attributes:     withText(wire.Request.UserAttributes),
		Groups:         texts(wire.Request.GroupConfiguration.GroupsToOverride),
		Scopes:         texts(wire.Request.Scopes),
		ClientMetadata: withText(wire.Request.ClientMetadata),
		fields:         fields,
	}, nil
}

// Answer returns the event as it came, the request to the byte, with the response that Cognito is to act on.
func (e *Event) Answer(response Response) ([]byte, error) {
	var overrides struct {
		Details *Response `json:"claimsAndScopeOverrideDetails"`
	}
	if !response.IDToken.IsZero() || !response.AccessToken.IsZero() {
		overrides.Details = &response
	}
	encoded, err := json.Marshal(overrides)
	if err != nil {
		return nil, fmt.Errorf("encode response: %w", err)
	}
	var answer bytes.Buffer
	answer.WriteByte('{')
	for _, field := range e.fields {
		if field.name == "response" {
			continue
		}
		name, err := json.Marshal(field.name)
		if err != nil {
			return nil, fmt.Errorf("encode field name: %w", err)
		}
		answer.Write(name)
		answer.WriteByte(':')
		answer.Write(field.value)
		answer.WriteByte(',')
	}
	answer.WriteString(`"response":`)
	answer.Write(encoded)
	answer.WriteByte('}')
	return answer.Bytes(), nil
}

var (
	errNotObject = errors.New("event is not a JSON object")
	errVersion   = errors.New("event is not of version " + Version +
		": set LambdaVersion to V" + Version + "_0 in the user pool's PreTokenGenerationConfig")
)

// topLevel splits the event into its members, in their order and with their bytes.
func topLevel(payload []byte) ([]field, error) {
	decoder := json.NewDecoder(bytes.NewReader(payload))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil, errNotObject
	}
	var fields []field
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, errNotObject
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, errNotObject
		}
		fields = append(fields, field{name: name.(string), value: value})
	}
	return fields, nil
}

// text reads a JSON string, number or boolean as text, and anything else as nothing.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(raw []byte) error {
	switch raw[0] {
	case '"':
		return json.Unmarshal(raw, (*string)(t))
	case '{', '[', 'n':
		*t = ""
	default:
		*t = text(raw)
	}
	return nil
}

func withText(values map[string]text) map[string]string {
	found := make(map[string]string, len(values))
	for name, value := range values {
		if value != "" {
			found[name] = string(value)
		}
	}
	return found
}

func texts(values []text) []string {
	var found []string
	for _, value := range values {
		if value != "" {
			found = append(found, string(value))
		}
	}
	return found
}

package pretoken

import "strconv"

// Version is a version of the trigger. It is set as LambdaVersion in the user pool: V1_0, V2_0 or V3_0.
type Version int

// The versions of the trigger.
const (
	// V1 changes ID tokens only, and its claims are text only. It works on every plan.
	V1 Version = iota + 1
	// V2 changes ID and access tokens of users.
	V2
	// V3 changes access tokens of machines too.
	V3
)

// String returns the version as Cognito's events have it.
func (v Version) String() string { return strconv.Itoa(int(v)) }

// Known reports whether there is such a version.
func (v Version) Known() bool { return V1 <= v && v <= V3 }

// TriggerSource says why Cognito is about to make tokens.
type TriggerSource string

// The trigger sources.
const (
	HostedAuth           TriggerSource = "TokenGeneration_HostedAuth"
	Authentication       TriggerSource = "TokenGeneration_Authentication"
	NewPasswordChallenge TriggerSource = "TokenGeneration_NewPasswordChallenge"
	AuthenticateDevice   TriggerSource = "TokenGeneration_AuthenticateDevice"
	RefreshTokens        TriggerSource = "TokenGeneration_RefreshTokens"
	// ClientCredentials asks for the access token of a machine: there is no user, no attribute, no group and no ID token. It needs V3.
	ClientCredentials TriggerSource = "TokenGeneration_ClientCredentials"
)

// Known reports whether Cognito sends the trigger source in some version.
func (t TriggerSource) Known() bool {
	switch t {
	case HostedAuth, Authentication, NewPasswordChallenge, AuthenticateDevice, RefreshTokens, ClientCredentials:
		return true
	}
	return false
}

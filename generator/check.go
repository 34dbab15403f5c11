package generator

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

var (
	namePattern = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	// claimPattern is stricter than Cognito: what it allows needs no quoting in a shell, a URL or a policy language.
	claimPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.:/-]*$`)
	// customPattern follows Amazon Cognito API Reference, SchemaAttributeType: the name has at most 20 characters.
	customPattern = regexp.MustCompile(`^custom:[A-Za-z0-9_.-]{1,20}$`)
)

const maxName = 40

func checkName(name string) []string {
	var problems []string
	switch {
	case name == "":
		return []string{"a name is needed: give a folder to make, or --name"}
	case !namePattern.MatchString(name):
		problems = append(problems, fmt.Sprintf("%q is not a name: use lower case letters, digits and hyphens, and start with a letter", shorten(name)))
	case strings.HasSuffix(name, "-"):
		problems = append(problems, fmt.Sprintf("%q ends in a hyphen: remove it", shorten(name)))
	case name == "aws": // its events would have the source aws.token-customizer
		problems = append(problems, `"aws" is no name: sources of events that begin with aws. are those of AWS, so choose another`)
	case reserved(name):
		problems = append(problems, fmt.Sprintf("%q is the name of a device on Windows: choose another", name))
	}
	if len(name) > maxName {
		problems = append(problems, fmt.Sprintf("the name has %d characters: %d are allowed", len(name), maxName))
	}
	return problems
}

// reserved tells device names, which no folder can have on Windows. Source: "Naming Files, Paths, and Namespaces" of Microsoft Learn.
func reserved(name string) bool {
	switch name {
	case "con", "prn", "aux", "nul":
		return true
	}
	return len(name) == 4 && (strings.HasPrefix(name, "com") || strings.HasPrefix(name, "lpt")) && '0' <= name[3] && name[3] <= '9'
}

func checkModule(path string) []string {
	if len(path) > 255 {
		return []string{fmt.Sprintf("the module path has %d characters: 255 are allowed", len(path))}
	}
	err := module.CheckPath(path)
	if err == nil && slices.Contains(strings.Split(path, "/"), "vendor") {
		return []string{fmt.Sprintf("%q has an element vendor, which the go command takes for a folder of copied modules: choose another", shorten(path))}
	}
	if err == nil {
		return nil
	}
	var invalid *module.InvalidPathError
	if errors.As(err, &invalid) {
		err = invalid.Err
	}
	return []string{fmt.Sprintf("%q is not a module path (%v): use one such as github.com/you/project", shorten(path), err)}
}

// checkRequired refuses a module path that is that of a required module, or above or below it: imports would be ambiguous.
func checkRequired(file *modfile.File) error {
	if file.Module == nil {
		return errors.New("the file names no module")
	}
	module := file.Module.Mod.Path
	for _, required := range file.Require {
		if path := required.Mod.Path; strings.HasPrefix(path+"/", module+"/") || strings.HasPrefix(module+"/", path+"/") {
			text := fmt.Sprintf("%q is in the way of %s, which the project depends on: choose another", shorten(module), path)
			return &InvalidError{Problems: []Problem{{Key: "module", Text: text}}}
		}
	}
	return nil
}

// standardAttributes are those that every user pool knows. Source: Amazon Cognito Developer Guide, "Working with user attributes".
var standardAttributes = []string{
	"address", "birthdate", "cognito:user_status", "email", "email_verified", "family_name", "gender", "given_name", "identities", "locale",
	"middle_name", "name", "nickname", "phone_number", "phone_number_verified", "picture", "preferred_username", "profile", "sub",
	"updated_at", "website", "zoneinfo",
}

// unchangeableClaims cannot be added by a trigger. Source: Amazon Cognito Developer Guide, "Pre token generation Lambda trigger".
var unchangeableClaims = []string{
	"acr", "amr", "at_hash", "auth_time", "azp", "client_id", "device_key", "event_id", "exp", "iat", "identities", "iss", "jti", "nbf",
	"nonce", "origin_jti", "sub", "token_use", "username", "version",
}

// ParseClaims reads pairs as --claims takes them. Its error is an [InvalidError] with every problem.
func ParseClaims(text string) ([]Claim, error) {
	claims, problems := parseClaims(text)
	if len(problems) == 0 {
		return claims, nil
	}
	invalid := &InvalidError{}
	for _, problem := range problems {
		invalid.Problems = append(invalid.Problems, Problem{Key: "claims", Text: problem})
	}
	return nil, invalid
}

func parseClaims(text string) (claims []Claim, problems []string) {
	const most = 50
	if strings.TrimSpace(text) == "" {
		return nil, []string{"at least one claim is needed, such as tenant_id=custom:tenant_id"}
	}
	pairs := strings.Split(text, ",")
	if len(pairs) > most {
		return nil, []string{fmt.Sprintf("%d claims are more than the %d that can start a policy", len(pairs), most)}
	}
	for _, pair := range pairs {
		name, attribute, found := strings.Cut(strings.TrimSpace(pair), "=")
		if !found {
			problems = append(problems, fmt.Sprintf("%q is not a pair: write claim=attribute, such as tenant_id=custom:tenant_id", shorten(pair)))
			continue
		}
		if problem := CheckClaim(name); problem != "" {
			problems = append(problems, problem)
		}
		if problem := CheckAttribute(attribute); problem != "" {
			problems = append(problems, problem)
		}
		if slices.ContainsFunc(claims, func(c Claim) bool { return c.Claim == name }) {
			problems = append(problems, fmt.Sprintf("claim %q is given twice: name each once", shorten(name)))
		}
		claims = append(claims, Claim{Claim: name, Attribute: attribute})
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return claims, nil
}

// CheckClaim says why Cognito would refuse to copy an attribute into the claim, or nothing.
func CheckClaim(name string) string {
	quoted := fmt.Sprintf("claim %q", shorten(name))
	switch {
	case strings.HasPrefix(name, "cognito:"):
		return quoted + " belongs to Cognito, which lets nobody set a cognito: claim: choose another name"
	case strings.HasPrefix(name, "dev:"):
		return quoted + " can only be suppressed, as every dev: claim: choose another name"
	case name == "aud":
		return `claim "aud" can only be the app client's id, which no attribute holds: remove it (with v2 and v3, see ClientID in the generated policy)`
	case name == "scope":
		return `claim "scope" changes by adding and suppressing scopes: remove it (with v2 and v3, see AddScopes in the generated policy)`
	case slices.Contains(unchangeableClaims, name):
		return quoted + " is set by Cognito, which lets nobody change it: choose another name"
	case !claimPattern.MatchString(name):
		return quoted + " is not a name: use letters, digits and _ . : / -"
	case len(name) > 128:
		return fmt.Sprintf("a claim has %d characters: 128 are allowed", len(name))
	}
	return ""
}

// CheckAttribute says why no user has the attribute, or nothing.
func CheckAttribute(name string) string {
	quoted := fmt.Sprintf("attribute %q", shorten(name))
	switch {
	case slices.Contains(standardAttributes, name) || customPattern.MatchString(name):
		return ""
	case customPattern.MatchString("custom:" + name):
		if similar := nearest(name, standardAttributes); similar != "" {
			return quoted + " is not a standard attribute: did you mean " + similar + ", or custom:" + name + "?"
		}
		return quoted + " is not a standard attribute: did you mean custom:" + name + "?"
	}
	return quoted + " is neither a standard attribute nor custom: and 1 to 20 letters, digits and _ . -"
}

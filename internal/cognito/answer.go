package cognito

import (
	"encoding/json"
	"slices"
)

// wanted is what an answer asks for, with everything taken out that Cognito would not do.
type wanted struct {
	id, access changes
	groups     *groups // nil leaves the groups as they are
}

// changes are what an answer asks for one token.
type changes struct {
	claims                    object
	suppress                  []string
	addScopes, suppressScopes []string
}

// groups replace the user's.
type groups struct {
	names, roles []string
	role         string
}

// The parts of an answer, by version. The shape of version 3 is that of version 2.
const (
	detailsV1   = "claimsOverrideDetails"
	detailsV2   = "claimsAndScopeOverrideDetails"
	partID      = "idTokenGeneration"
	partAccess  = "accessTokenGeneration"
	partClaims  = "claimsToAddOrOverride"
	partOut     = "claimsToSuppress"
	partScopes  = "scopesToAdd"
	partNoScope = "scopesToSuppress"
	partGroups  = "groupOverrideDetails"
	groupNames  = "groupsToOverride"
	groupRoles  = "iamRolesToOverride"
	groupRole   = "preferredRole"
)

// vocabulary is everything that some version has somewhere in its response.
var vocabulary = []string{
	detailsV1, detailsV2, partID, partAccess, partClaims, partOut, partScopes, partNoScope, partGroups, groupNames, groupRoles, groupRole,
}

// read takes an answer apart.
func (j *judge) read(answer []byte) wanted {
	members, ok := parseObject(answer)
	switch {
	case !json.Valid(answer):
		j.refuse("answer", "is not JSON")
	case !ok:
		j.refuse("answer", "is not a JSON object")
	}
	if !ok {
		return wanted{}
	}
	j.compare(members)
	raw, found := members.get("response")
	if !found {
		j.find(Error, "answer", "has no response: Cognito wants the event back with its response filled in")
		return wanted{}
	}
	if j.event.version == "1" {
		return j.readV1(j.open("response", raw, detailsV1))
	}
	return j.readV2(j.open("response", raw, detailsV2))
}

// compare looks for what differs from the event outside the response. A function is to return "the same event object".
// Source: Amazon Cognito Developer Guide, "Customizing user pool workflows with Lambda triggers". What Cognito does if it doesn't is not
// documented; answers without their common fields are known to be refused.
//
// In the request, a member that is null and one that is absent count as the same: types such as those of aws-lambda-go write null for what
// was not sent.
func (j *judge) compare(answer object) {
	for _, sent := range j.event.members {
		if sent.name == "response" {
			continue
		}
		got, found := answer.get(sent.name)
		want, _ := j.event.members.get(sent.name)
		equal := same
		if sent.name == "request" {
			equal = sameWithoutNulls
		}
		switch {
		case !found:
			j.find(Error, sent.name, "is missing from the answer: return the event as it came, and the response with it")
		case !equal(got, want):
			j.find(Error, sent.name, "is not what was sent: return the event as it came, and the response with it")
		}
	}
	j.unique("answer", answer)
	for _, member := range answer {
		if _, sent := j.event.members.get(member.name); !sent && member.name != "response" {
			j.find(Warning, "answer", "has a field that was not sent and that Cognito ignores: %q", member.name)
		}
	}
}

func (j *judge) readV1(response object) wanted {
	raw, _ := response.get(detailsV1)
	details := j.open(detailsV1, raw, partClaims, partOut, partGroups)
	return wanted{id: j.readChanges(idToken, details), groups: j.readGroups(details)}
}

func (j *judge) readV2(response object) wanted {
	raw, _ := response.get(detailsV2)
	details := j.open(detailsV2, raw, partID, partAccess, partGroups)
	var w wanted
	raw, _ = details.get(partID)
	w.id = j.readChanges(idToken, j.open(partID, raw, partClaims, partOut))
	raw, _ = details.get(partAccess)
	access := j.open(partAccess, raw, partClaims, partOut, partScopes, partNoScope)
	w.access = j.readChanges(accessToken, access)
	w.access.addScopes = j.readScopes(access, partScopes)
	w.access.suppressScopes = j.readScopes(access, partNoScope)
	suppressed := set(w.access.suppressScopes)
	for _, scope := range w.access.addScopes {
		if suppressed[scope] {
			// Which of the two wins is documented for claims only.
			j.find(Warning, scopeSubject(scope), "is both added and suppressed: it is taken to be suppressed")
		}
	}
	w.groups = j.readGroups(details)
	return w
}

// open reads an object of the answer, which may be null, and reports members that do not belong there.
func (j *judge) open(name string, raw json.RawMessage, allowed ...string) object {
	if kindOf(raw) == nullKind {
		return nil
	}
	members, ok := parseObject(raw)
	if !ok {
		j.refuse(name, "is not an object")
		return nil
	}
	j.unique(name, members)
	for _, member := range members {
		switch {
		case slices.Contains(allowed, member.name):
		case slices.Contains(vocabulary, member.name):
			j.find(Error, name, "has %s, which has no place there in version %s: Cognito ignores it", member.name, j.event.version)
		default:
			j.find(Warning, name, "has a field that Cognito does not know: %q", member.name)
		}
	}
	return members
}

func (j *judge) unique(name string, members object) {
	seen := map[string]bool{}
	for _, member := range members {
		if seen[member.name] {
			j.find(Warning, name, "has %q more than once: the last one is taken to count", member.name)
		}
		seen[member.name] = true
	}
}

// list reads an array of strings, which may be null or not there.
func (j *judge) list(members object, name string) []string {
	raw, _ := members.get(name)
	if kindOf(raw) == nullKind {
		return nil
	}
	texts, ok := parseTexts(raw)
	if !ok {
		j.refuse(name, "is not an array of strings")
	}
	return texts
}

func (j *judge) readChanges(token kindOfToken, members object) changes {
	var c changes
	raw, _ := members.get(partClaims)
	if kindOf(raw) != nullKind {
		claims, ok := parseObject(raw)
		if !ok {
			j.refuse(partClaims, "is not an object")
		}
		j.unique(partClaims, claims)
		for _, claim := range claims {
			if j.allows(token, claim) {
				c.claims = append(c.claims, claim)
			}
		}
	}
	for _, name := range j.list(members, partOut) {
		if j.allowsSuppressing(token, name) {
			c.suppress = append(c.suppress, name)
		}
	}
	suppressed := set(c.suppress)
	for _, claim := range c.claims {
		if suppressed[claim.name] {
			j.find(Warning, token.claim(claim.name), "is both added and suppressed: Cognito suppresses it")
		}
	}
	if token == idToken && j.event.machine() && len(members) > 0 {
		j.find(Warning, partID, "changes nothing: a machine has no ID token")
	}
	return c
}

func (j *judge) readScopes(members object, name string) []string {
	var scopes []string
	there := map[string]bool{}
	for _, scope := range j.list(members, name) {
		if j.allowsScope(scope) && !there[scope] {
			there[scope] = true
			scopes = append(scopes, scope)
		}
	}
	return scopes
}

// readGroups reads groupOverrideDetails: left out, the groups stay; otherwise it replaces all three of the event's group settings, and
// "if you provide an empty or null object in the response, then Amazon Cognito suppresses the groups".
func (j *judge) readGroups(details object) *groups {
	raw, found := details.get(partGroups)
	if !found {
		return nil
	}
	members := j.open(partGroups, raw, groupNames, groupRoles, groupRole)
	g := &groups{names: j.list(members, groupNames), roles: j.list(members, groupRoles)}
	if raw, _ := members.get(groupRole); kindOf(raw) != nullKind {
		var ok bool
		if g.role, ok = parseText(raw); !ok {
			j.refuse(groupRole, "is not a string")
		}
	}
	said := slices.ContainsFunc(members, func(m member) bool { return kindOf(m.value) != nullKind })
	switch {
	case j.event.machine():
		j.find(Warning, partGroups, "changes nothing: a machine has no groups")
		return nil
	case !said && len(j.event.groups) > 0:
		how := "is empty or null"
		if len(members) > 0 {
			how = "has only null members"
		}
		j.find(Loss, partGroups, how+", so the user loses the groups: leave it out to keep them, suppress %s to hide them", groupsClaim)
	case !said:
		j.find(Warning, partGroups, "is empty or null: a user who has groups would lose them; leave it out to keep them")
	case len(g.names) == 0 && len(j.event.groups) > 0:
		j.find(Warning, partGroups, "has no %s, so the user loses the groups", groupNames)
	case len(g.roles) == 0 && len(j.event.roles) > 0:
		j.find(Warning, partGroups, "has no %s, so the user loses the roles of the groups", groupRoles)
	case g.role == "" && j.event.role != "":
		j.find(Warning, partGroups, "has no %s, so the user loses the preferred role", groupRole)
	}
	return g
}

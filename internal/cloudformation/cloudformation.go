// Package cloudformation reads CloudFormation templates the way AWS does when it deploys them with some parameters, and compares them. That
// makes what SAM transforms and what the CDK synthesizes comparable. It knows the intrinsic functions that generated projects use.
package cloudformation

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Template is what is left of a template once parameters and conditions are resolved, with one spelling for each thing that CloudFormation
// lets one write in several ways. Values are as encoding/json decodes them.
type Template map[string]any

// Resolve resolves a template, JSON, for the given parameters; the others have their defaults. A parameter whose value only AWS can look up
// stays.
func Resolve(source []byte, parameters map[string]string) (resolved Template, err error) {
	defer func() {
		// What is not where CloudFormation wants it: one message is enough for templates that tools made.
		if recovered := recover(); recovered != nil {
			resolved, err = nil, fmt.Errorf("the template is malformed: %v", recovered)
		}
	}()
	var template struct {
		Description string
		Parameters  map[string]struct {
			Type    string
			Default any
		}
		Conditions map[string]any
		Rules      map[string]any
		Resources  map[string]map[string]any
		Outputs    map[string]map[string]any
	}
	if err := json.Unmarshal(source, &template); err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	r := resolver{parameters: map[string]any{}, conditions: template.Conditions, evaluating: map[string]bool{}}
	kept := map[string]any{}
	for name, parameter := range template.Parameters {
		value, given := parameters[name]
		switch {
		case strings.HasPrefix(parameter.Type, "AWS::SSM::"):
			kept[name] = parameter.Default
		case given && parameter.Type == "Number":
			r.parameters[name] = json.Number(value)
		case given:
			r.parameters[name] = value
		default:
			r.parameters[name] = literal(parameter.Default)
		}
	}
	for name := range parameters {
		if _, known := r.parameters[name]; !known {
			r.fail("the template has no parameter %s", name)
		}
	}
	resolved = Template{
		"Description": template.Description,
		"Parameters":  kept,
		"Rules":       r.members(template.Rules),
		"Resources":   r.section(template.Resources),
		"Outputs":     r.section(template.Outputs),
	}
	return resolved, errors.Join(r.problems...)
}

// resolver resolves values, and gathers what it cannot.
type resolver struct {
	parameters map[string]any
	conditions map[string]any
	evaluating map[string]bool // conditions, to find one that depends on itself
	problems   []error
}

func (r *resolver) fail(format string, args ...any) {
	r.problems = append(r.problems, fmt.Errorf(format, args...))
}

// section resolves resources or outputs, without those whose condition is false.
func (r *resolver) section(entries map[string]map[string]any) map[string]any {
	resolved := map[string]any{}
	for name, entry := range entries {
		entry = maps.Clone(entry)
		if condition, conditional := entry["Condition"].(string); conditional {
			if !r.holds(condition) {
				continue
			}
			delete(entry, "Condition")
		}
		properties := r.members(entry)
		r.dependencies(properties)
		resolved[name] = properties
	}
	return resolved
}

// dependencies drops what DependsOn says and references imply, and sorts the rest.
func (r *resolver) dependencies(resource map[string]any) {
	var explicit []any
	switch names := resource["DependsOn"].(type) {
	case nil:
		return
	case string:
		explicit = []any{names}
	case []any:
		explicit = names
	}
	delete(resource, "DependsOn")
	implied := references(resource)
	explicit = slices.DeleteFunc(explicit, func(name any) bool { return implied[name.(string)] })
	if len(explicit) > 0 {
		resource["DependsOn"] = sorted(explicit)
	}
}

// references returns the logical ids that a value refers to.
func references(value any) map[string]bool {
	found := map[string]bool{}
	switch value := value.(type) {
	case map[string]any:
		if name, ok := value["Ref"].(string); ok {
			found[name] = true
		}
		if attribute, ok := value["Fn::GetAtt"].([]any); ok {
			found[attribute[0].(string)] = true
		}
		for _, member := range value {
			maps.Copy(found, references(member))
		}
	case []any:
		for _, element := range value {
			maps.Copy(found, references(element))
		}
	}
	return found
}

// nothing stands for a value that AWS::NoValue removes.
type nothing struct{}

func (r *resolver) value(value any) any {
	switch value := value.(type) {
	case map[string]any:
		if len(value) == 1 {
			for function, argument := range value {
				if resolved, is := r.intrinsic(function, argument); is {
					return resolved
				}
			}
		}
		return r.members(value)
	case []any:
		resolved := []any{}
		for _, element := range value {
			if element := r.value(element); !isNothing(element) {
				resolved = append(resolved, element)
			}
		}
		return resolved
	}
	return literal(value)
}

// literal gives numbers one form, whether they were numbers or the text of a parameter.
func literal(value any) any {
	if number, ok := value.(float64); ok {
		return json.Number(fmt.Sprint(number))
	}
	return value
}

func (r *resolver) members(value map[string]any) map[string]any {
	resolved := map[string]any{}
	for name, member := range value {
		if member := r.value(member); !isNothing(member) {
			resolved[name] = member
		}
	}
	if _, policy := resolved["Statement"]; policy {
		return statements(resolved)
	}
	// The order of these lists means nothing. Of metrics, the expressions come last, whatever they are called.
	for name, keys := range map[string][]string{"Policies": {"PolicyName"}, "Metrics": {"Expression", "Id"}} {
		list, _ := resolved[name].([]any)
		slices.SortFunc(list, func(a, b any) int {
			for _, key := range keys {
				if order := strings.Compare(text(a, key), text(b, key)); order != 0 {
					return order
				}
			}
			return 0
		})
	}
	return resolved
}

func isNothing(value any) bool {
	_, is := value.(nothing)
	return is
}

func text(value any, key string) string {
	members, _ := value.(map[string]any)
	text, _ := members[key].(string)
	return text
}

// statements gives one spelling to a policy document: a list of one element is the element, and the order of a list means nothing.
func statements(document map[string]any) map[string]any {
	for name, member := range document {
		if name != "Statement" {
			document[name] = single(member)
			continue
		}
		list, ok := member.([]any)
		if !ok {
			list = []any{member}
		}
		for i := range list {
			list[i] = single(list[i])
		}
		document[name] = sorted(list)
	}
	return document
}

func single(value any) any {
	switch value := value.(type) {
	case map[string]any:
		if _, intrinsic := value["Fn::GetAtt"]; intrinsic {
			return value
		}
		if _, intrinsic := value["Fn::Join"]; intrinsic {
			return value
		}
		for name, member := range value {
			value[name] = single(member)
		}
		return value
	case []any:
		if len(value) == 1 {
			return single(value[0])
		}
		return sorted(value)
	}
	return value
}

func sorted(list []any) []any {
	return slices.SortedFunc(slices.Values(list), func(a, b any) int { return strings.Compare(Text(a), Text(b)) })
}

// Text writes a value as JSON on one line, with sorted keys.
func Text(value any) string {
	encoded, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(encoded)
}

// intrinsic resolves a call of an intrinsic function, and reports whether it is one.
func (r *resolver) intrinsic(function string, argument any) (any, bool) {
	switch function {
	case "Ref":
		name, _ := argument.(string)
		if name == "AWS::NoValue" {
			return nothing{}, true
		}
		if value, parameter := r.parameters[name]; parameter {
			return value, true
		}
		return map[string]any{"Ref": name}, true
	case "Fn::GetAtt":
		if path, short := argument.(string); short {
			resource, attribute, _ := strings.Cut(path, ".")
			argument = []any{resource, attribute}
		}
		return map[string]any{"Fn::GetAtt": argument}, true
	case "Fn::If":
		branches, ok := argument.([]any)
		if !ok || len(branches) != 3 {
			r.fail("Fn::If has not three arguments: %v", argument)
			return nothing{}, true
		}
		if r.holds(branches[0].(string)) {
			return r.value(branches[1]), true
		}
		return r.value(branches[2]), true
	case "Fn::Sub":
		return r.join(r.substitute(argument)), true
	case "Fn::Join":
		pair, ok := argument.([]any)
		if list, lists := r.value(pair[1]).([]any); ok && lists && pair[0] == "" {
			return r.join(list), true
		}
		return map[string]any{"Fn::Join": r.value(argument)}, true
	case "Fn::Select", "Fn::Split":
		return map[string]any{function: r.value(argument)}, true
	}
	if strings.HasPrefix(function, "Fn::") && function != "Fn::Not" && function != "Fn::Contains" && function != "Fn::Equals" {
		r.fail("the intrinsic function %s is new here: teach internal/cloudformation about it", function)
	}
	return nil, false
}

// substitute splits the argument of Fn::Sub into texts and references.
func (r *resolver) substitute(argument any) []any {
	variables := map[string]any{}
	if pair, ok := argument.([]any); ok {
		argument = pair[0]
		variables, _ = r.value(pair[1]).(map[string]any)
	}
	var parts []any
	rest, _ := argument.(string)
	for {
		before, after, found := strings.Cut(rest, "${")
		parts = append(parts, before)
		if !found {
			return parts
		}
		var name string
		name, rest, _ = strings.Cut(after, "}")
		variable, given := variables[name]
		switch {
		case given:
			parts = append(parts, variable)
		case strings.Contains(name, ".") && !strings.HasPrefix(name, "AWS::"):
			parts = append(parts, r.value(map[string]any{"Fn::GetAtt": name}))
		default:
			parts = append(parts, r.value(map[string]any{"Ref": name}))
		}
	}
}

// join joins parts without anything between them: joins within are taken apart, and texts that meet become one.
func (r *resolver) join(parts []any) any {
	var flat []any
	for _, part := range parts {
		inner := []any{part}
		if call, ok := part.(map[string]any); ok {
			if pair, ok := call["Fn::Join"].([]any); ok && pair[0] == "" {
				inner = pair[1].([]any)
			}
		}
		for _, part := range inner {
			text, isText := part.(string)
			if number, ok := part.(json.Number); ok {
				text, isText = number.String(), true
			}
			if !isText {
				flat = append(flat, part)
				continue
			}
			if last := len(flat) - 1; last >= 0 {
				if before, ok := flat[last].(string); ok {
					flat[last] = before + text
					continue
				}
			}
			if text != "" {
				flat = append(flat, text)
			}
		}
	}
	switch len(flat) {
	case 0:
		return ""
	case 1:
		return flat[0]
	}
	return map[string]any{"Fn::Join": []any{"", flat}}
}

// holds evaluates a condition of the template.
func (r *resolver) holds(name string) bool {
	condition, known := r.conditions[name]
	if !known {
		r.fail("the template has no condition %s", name)
		return false
	}
	if r.evaluating[name] {
		r.fail("the condition %s depends on itself", name)
		return false
	}
	r.evaluating[name] = true
	defer delete(r.evaluating, name)
	return r.evaluate(condition)
}

func (r *resolver) evaluate(condition any) bool {
	call, _ := condition.(map[string]any)
	for function, argument := range call {
		list, _ := argument.([]any)
		switch function {
		case "Condition":
			name, _ := argument.(string)
			return r.holds(name)
		case "Fn::Equals":
			return reflect.DeepEqual(r.value(list[0]), r.value(list[1]))
		case "Fn::Not":
			return !r.evaluate(list[0])
		case "Fn::And":
			return !slices.ContainsFunc(list, func(c any) bool { return !r.evaluate(c) })
		case "Fn::Or":
			return slices.ContainsFunc(list, r.evaluate)
		}
	}
	r.fail("the condition %v is new here: teach internal/cloudformation about it", condition)
	return false
}

// Difference is a place where two templates differ. A value that is missing is nil.
type Difference struct {
	// Path leads to the place: names with dots between them, and positions in lists.
	Path string
	A, B any
}

// Compare returns the differences between two templates, sorted by their paths.
func Compare(a, b Template) []Difference {
	differences := compare("", map[string]any(a), map[string]any(b))
	slices.SortFunc(differences, func(a, b Difference) int { return strings.Compare(a.Path, b.Path) })
	return differences
}

func compare(path string, a, b any) []Difference {
	var differences []Difference
	below := func(name string) string { return strings.TrimPrefix(path+"."+name, ".") }
	switch aTyped := a.(type) {
	case map[string]any:
		bTyped, same := b.(map[string]any)
		if !same {
			break
		}
		names := maps.Clone(aTyped)
		maps.Copy(names, bTyped)
		for name := range names {
			differences = append(differences, compare(below(name), aTyped[name], bTyped[name])...)
		}
		return differences
	case []any:
		bTyped, same := b.([]any)
		if !same || len(aTyped) != len(bTyped) {
			break
		}
		for i := range aTyped {
			differences = append(differences, compare(below(fmt.Sprint(i)), aTyped[i], bTyped[i])...)
		}
		return differences
	}
	if reflect.DeepEqual(a, b) {
		return nil
	}
	return []Difference{{Path: path, A: a, B: b}}
}

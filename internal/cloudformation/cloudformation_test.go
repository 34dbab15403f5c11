package cloudformation

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// template puts a property into a template with a few parameters, conditions and resources.
func template(property string) string {
	return `{
		"Parameters": {
			"Pool": {"Type": "String", "Default": ""},
			"Days": {"Type": "Number", "Default": 30},
			"Version": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/version"}
		},
		"Conditions": {
			"Make": {"Fn::Equals": [{"Ref": "Pool"}, ""]},
			"Use": {"Fn::Not": [{"Condition": "Make"}]},
			"Both": {"Fn::And": [{"Condition": "Make"}, {"Condition": "Use"}]},
			"Either": {"Fn::Or": [{"Condition": "Make"}, {"Condition": "Use"}]}
		},
		"Resources": {"It": {"Type": "T", "Properties": {"P": ` + property + `}}}
	}`
}

func property(t *testing.T, source string, parameters map[string]string) string {
	t.Helper()
	resolved, err := Resolve([]byte(template(source)), parameters)
	if err != nil {
		t.Fatal(err)
	}
	properties := resolved["Resources"].(map[string]any)["It"].(map[string]any)["Properties"].(map[string]any)
	value, there := properties["P"]
	if !there {
		return "nothing"
	}
	return Text(value)
}

func TestResolve(t *testing.T) {
	given := map[string]string{"Pool": "p", "Days": "365"}
	for name, test := range map[string]struct {
		source     string
		parameters map[string]string
		want       string
	}{
		"value":                   {`[1, 0.5, "1", true, null]`, nil, `[1,0.5,"1",true,null]`},
		"default of a parameter":  {`{"Ref": "Days"}`, nil, `30`},
		"given parameter":         {`{"Ref": "Days"}`, given, `365`},
		"pseudo parameter":        {`{"Ref": "AWS::Region"}`, nil, `{"Ref":"AWS::Region"}`},
		"if":                      {`{"Fn::If": ["Make", "new", {"Ref": "Pool"}]}`, nil, `"new"`},
		"if not":                  {`{"Fn::If": ["Make", "new", {"Ref": "Pool"}]}`, given, `"p"`},
		"use":                     {`{"Fn::If": ["Use", 1, 2]}`, given, `1`},
		"both":                    {`{"Fn::If": ["Both", 1, 2]}`, given, `2`},
		"either":                  {`{"Fn::If": ["Either", 1, 2]}`, given, `1`},
		"no value":                {`{"Fn::If": ["Use", 1, {"Ref": "AWS::NoValue"}]}`, nil, `nothing`},
		"no value in a list":      {`["a", {"Ref": "AWS::NoValue"}]`, nil, `["a"]`},
		"short attribute":         {`{"Fn::GetAtt": "Other.Arn"}`, nil, `{"Fn::GetAtt":["Other","Arn"]}`},
		"sub is join":             {`{"Fn::Sub": "a-${AWS::Region}-${Other.Arn}${Pool}"}`, given, `{"Fn::Join":["",["a-",{"Ref":"AWS::Region"},"-",{"Fn::GetAtt":["Other","Arn"]},"p"]]}`},
		"sub with variables":      {`{"Fn::Sub": ["a${V}", {"V": {"Ref": "Pool"}}]}`, given, `"ap"`},
		"sub of nothing":          {`{"Fn::Sub": "${Pool}"}`, nil, `""`},
		"join within a join":      {`{"Fn::Join": ["", ["a", {"Fn::Join": ["", ["b", {"Ref": "X"}]]}]]}`, nil, `{"Fn::Join":["",["ab",{"Ref":"X"}]]}`},
		"join with something":     {`{"Fn::Join": [",", ["a", {"Ref": "Pool"}]]}`, given, `{"Fn::Join":[",",["a","p"]]}`},
		"select and split":        {`{"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "Pool"}]}]}`, given, `{"Fn::Select":[2,{"Fn::Split":["/","p"]}]}`},
		"policy":                  {`{"Version": "1", "Statement": [{"Action": ["b", "a"], "Resource": ["r"]}]}`, nil, `{"Statement":[{"Action":["a","b"],"Resource":"r"}],"Version":"1"}`},
		"attribute in a policy":   {`{"Statement": {"Resource": {"Fn::GetAtt": "B.A"}}}`, nil, `{"Statement":[{"Resource":{"Fn::GetAtt":["B","A"]}}]}`},
		"policies of a role":      {`{"Policies": [{"PolicyName": "b"}, {"PolicyName": "a"}]}`, nil, `{"Policies":[{"PolicyName":"a"},{"PolicyName":"b"}]}`},
		"metrics and expressions": {`{"Metrics": [{"Id": "x", "Expression": "a"}, {"Id": "z"}, {"Id": "y"}]}`, nil, `{"Metrics":[{"Id":"y"},{"Id":"z"},{"Expression":"a","Id":"x"}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := property(t, test.source, test.parameters); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestResolveSections(t *testing.T) {
	source := `{
		"Description": "d",
		"Parameters": {"On": {"Type": "String", "Default": "no"}, "Version": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/version"}},
		"Conditions": {"IsOn": {"Fn::Equals": [{"Ref": "On"}, "yes"]}},
		"Resources": {
			"A": {"Type": "T", "DependsOn": "C", "Properties": {}},
			"B": {"Type": "T", "Condition": "IsOn", "DependsOn": ["D", "C", "A"], "Properties": {"P": {"Fn::Sub": "${A}"}}}
		},
		"Outputs": {"O": {"Condition": "IsOn", "Value": 1}}
	}`
	for value, want := range map[string]string{
		"no": `{"Description":"d","Outputs":{},"Parameters":{"Version":"/version"},"Resources":{"A":{"DependsOn":["C"],"Properties":{},"Type":"T"}},"Rules":{}}`,
		"yes": `{"Description":"d","Outputs":{"O":{"Value":1}},"Parameters":{"Version":"/version"},"Resources":{"A":{"DependsOn":["C"],"Properties":{},"Type":"T"},` +
			`"B":{"DependsOn":["C","D"],"Properties":{"P":{"Ref":"A"}},"Type":"T"}},"Rules":{}}`,
	} {
		got, err := Resolve([]byte(source), map[string]string{"On": value})
		if err != nil || Text(got) != want {
			t.Errorf("got  %s (%v)\nwant %s", Text(got), err, want)
		}
	}
}

func TestResolveRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		property   string
		parameters map[string]string
		want       string
	}{
		"broken JSON":       {"{", nil, "read the template"},
		"unknown parameter": {`1`, map[string]string{"Color": "red"}, "no parameter Color"},
		"unknown condition": {`{"Fn::If": ["Maybe", 1, 2]}`, nil, "no condition Maybe"},
		"unknown function":  {`{"Fn::Base64": "x"}`, nil, "Fn::Base64 is new here"},
		"broken function":   {`{"Fn::If": ["Make", 1]}`, nil, "three arguments"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Resolve([]byte(template(test.property)), test.parameters)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestCompare(t *testing.T) {
	a := Template{"R": map[string]any{"X": map[string]any{"P": "1", "L": []any{"a", "b"}, "G": 1}, "Y": 1}}
	b := Template{"R": map[string]any{"X": map[string]any{"P": "2", "L": []any{"a", "c"}, "G": 1}, "Z": []any{}}}
	want := []Difference{
		{"R.X.L.1", "b", "c"}, {"R.X.P", "1", "2"}, {"R.Y", 1, nil}, {"R.Z", nil, []any{}},
	}
	if diff := cmp.Diff(want, Compare(a, b)); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
	if got := Compare(a, a); got != nil {
		t.Errorf("a template differs from itself: %v", got)
	}
}

func FuzzResolve(f *testing.F) {
	f.Add(template(`{"Fn::Sub": ["a${V}${A.B}", {"V": {"Ref": "Pool"}}]}`))
	f.Add(template(`{"Statement": [{"Action": ["b"]}], "Metrics": [{}]}`))
	f.Add(template(`{"Fn::If": ["Either", {"Fn::Join": ["", ["a"]]}, {"Ref": "AWS::NoValue"}]}`))
	f.Fuzz(func(t *testing.T, source string) {
		resolved, err := Resolve([]byte(source), nil)
		if err == nil && Compare(resolved, resolved) != nil {
			t.Error("a template differs from itself")
		}
	})
}

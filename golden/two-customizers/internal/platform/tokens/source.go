package tokens

import (
	"cmp"
	"errors"
	"strconv"

	"example.com/two-customizers/internal/platform/pretoken"
	"example.com/two-customizers/internal/platform/rawjson"
)

// Source is where the value of a claim comes from: Attribute, AttributeAs, Groups, Listed, ClientID, Static or Func.
type Source interface {
	// check returns what is wrong with the source before there is an event, or nil.
	check() error
	// value is nil, nil where the event has nothing for the claim.
	value(event *pretoken.Event) (rawjson.Value, error)
}

// valueOf is the value of a source. A source that panics, such as a Func, is a source with a problem.
func valueOf(source Source, event *pretoken.Event) (value rawjson.Value, err error) {
	defer func() {
		if recovered := recover(); recovered != nil {
			value, err = nil, panicError(recovered)
		}
	}()
	return source.value(event)
}

// Attribute takes the text of a user attribute, such as "email" or "custom:tenant_id".
func Attribute(name string) Source { return AttributeAs(name, String) }

// AttributeAs takes a user attribute and reads its text as another type.
func AttributeAs(name string, as Type) Source { return userAttribute{name, as} }

type userAttribute struct {
	name string
	as   Type
}

func (a userAttribute) check() error {
	switch {
	case a.name == "":
		return errors.New("its attribute needs a name")
	case a.as < String || a.as > List:
		return errors.New("there is no type " + strconv.Itoa(int(a.as)) + ": use String, Number, Boolean, JSON or List")
	}
	return nil
}

func (a userAttribute) value(event *pretoken.Event) (rawjson.Value, error) {
	text, found := event.Attributes[a.name]
	if !found {
		return nil, nil
	}
	return a.as.read(text)
}

// ClientID takes the id of the app client: the only value that Cognito accepts for the claim aud of an access token.
func ClientID() Source { return appClient{} }

type appClient struct{}

func (appClient) check() error { return nil }

func (appClient) value(event *pretoken.Event) (rawjson.Value, error) {
	return rawjson.String(event.ClientID), nil
}

// Static takes one value for everybody: a string, number or boolean, a slice of these, a map or a struct.
func Static(value any) Source { return constant{value} }

type constant struct{ of any }

func (constant) check() error { return nil } // Claim.check looks at the value

func (c constant) value(*pretoken.Event) (rawjson.Value, error) { return encode(c.of) }

// Func takes what a function of your own returns for the event, of the same types as for Static. Nil leaves the claim out. The function
// must not change the event. It has to be quick, since the user waits: to ask another service, use a Lookup, which has a timeout.
//
// A panic and an error are problems of the claim. Only the kind of an error is logged, since texts tend to carry personal data.
func Func(of func(event *pretoken.Event) (any, error)) Source { return computed(of) }

type computed func(event *pretoken.Event) (any, error)

func (c computed) check() error {
	if c == nil {
		return errors.New("Func needs a function")
	}
	return nil
}

func (c computed) value(event *pretoken.Event) (rawjson.Value, error) {
	value, err := c(event)
	switch {
	case err != nil:
		return nil, failed(err)
	case value == nil:
		return nil, nil
	}
	return encode(value)
}

// failed says of an error of a policy's own code what kind it is, and nothing else.
func failed(err error) error {
	return errors.New("failed: " + cmp.Or(kindOf(err), "an error of no particular kind"))
}

// Type is how the text of an attribute is read.
type Type int

const (
	// String takes the text as it is.
	String Type = iota
	// Number takes a JSON number, of any size and precision.
	Number
	// Boolean takes true or false.
	Boolean
	// JSON takes any JSON but null, and arrays of strings, numbers and booleans only.
	JSON
	// List takes an attribute that has several values, as an array of strings. It reads a JSON array, and what Cognito makes of a list in a
	// SAML assertion, such as "[admins, on call]".
	List
)

func (t Type) read(text string) (rawjson.Value, error) {
	switch t {
	case String:
		return rawjson.String(text), nil
	case List:
		return arrayOf(list(text)), nil
	}
	value, err := rawjson.Parse([]byte(text))
	valid := err == nil
	switch kind := value.Kind(); t {
	case Number:
		valid = valid && (kind == '-' || '0' <= kind && kind <= '9')
	case Boolean:
		valid = valid && (kind == 't' || kind == 'f')
	}
	if !valid {
		return nil, errors.New("attribute is not " + [...]string{Number: "a number", Boolean: "true or false", JSON: "JSON"}[t])
	}
	return value, nil
}

// arrayOf is an array of texts, or nothing where there are none.
func arrayOf(values []string) rawjson.Value {
	if len(values) == 0 {
		return nil
	}
	return rawjson.Strings(values)
}

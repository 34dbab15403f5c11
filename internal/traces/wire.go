package traces

import (
	"encoding/json"
	"errors"
	"fmt"
)

// The decoders of pdata recurse into attributes without a limit, and a message of a few bytes becomes a struct of some hundred. So what a
// request would become is bounded on the wire, before anything decodes it.
const (
	// maxNesting is how deep arrays and lists of an attribute may be nested.
	maxNesting = 32
	// maxBrackets is how deep JSON may be nested: each level of an attribute takes four brackets at most, and what is around it 13.
	maxBrackets = 4*maxNesting + 16
	// maxMessages is the number of messages in a request: spans, attributes, their values. A batch of 8,000 spans, each with 20
	// attributes, has fewer.
	maxMessages = 400_000
	// maxRequestSpans is the number of spans in a request: they are the largest messages.
	maxRequestSpans = 50_000
)

var (
	errNesting  = fmt.Errorf("attributes are nested more than %d deep", maxNesting)
	errMessages = fmt.Errorf("there are more than %d spans or %d attributes and values: send smaller batches", maxRequestSpans, maxMessages)
	errWire     = errors.New("this is not a message of the protocol")
)

// message is a type of the OpenTelemetry protocol: the types of those fields that are messages and can hold attributes, by number.
type message map[uint32]messageType

type messageType int

const (
	request messageType = iota
	resourceSpans
	resource
	scopeSpans
	scope
	span
	spanEvent
	spanLink
	keyValue
	anyValue
	arrayValue
	keyValueList
	leaf // has no attributes
)

// messages are from opentelemetry-proto 1.10 (trace.proto, common.proto), and field 1000 from the decoder, which still takes it.
var messages = [...]message{
	request:       {1: resourceSpans},
	resourceSpans: {1: resource, 2: scopeSpans, 1000: scopeSpans},
	resource:      {1: keyValue, 3: leaf},
	scopeSpans:    {1: scope, 2: span},
	scope:         {3: keyValue},
	span:          {9: keyValue, 11: spanEvent, 13: spanLink, 15: leaf},
	spanEvent:     {3: keyValue},
	spanLink:      {4: keyValue},
	keyValue:      {2: anyValue},
	anyValue:      {5: arrayValue, 6: keyValueList},
	arrayValue:    {1: anyValue},
	keyValueList:  {1: keyValue},
	leaf:          {},
}

// counter counts what a request holds.
type counter struct{ messages, spans int }

func (c *counter) count(kind messageType) error {
	c.messages++
	if kind == span {
		c.spans++
	}
	if c.messages > maxMessages || c.spans > maxRequestSpans {
		return errMessages
	}
	return nil
}

// checkBinary walks through the messages of a request without decoding them. It recurses as deep as it allows.
func checkBinary(body []byte) error { return new(counter).walk(body, request, 0) }

func (c *counter) walk(text []byte, kind messageType, depth int) error {
	if kind == anyValue {
		depth++
	}
	if depth > maxNesting {
		return errNesting
	}
	for len(text) > 0 {
		tag, rest, ok := varint(text)
		if !ok {
			return errWire
		}
		text = rest
		var size uint64
		const wireVarint, wire64, wireLength, wire32 = 0, 1, 2, 5
		switch tag & 7 { //nolint:mnd // the wire type is in three bits
		case wireVarint:
			if _, text, ok = varint(text); !ok {
				return errWire
			}
			continue
		case wire64:
			size = 8
		case wire32:
			size = 4
		case wireLength:
			if size, text, ok = varint(text); !ok {
				return errWire
			}
		default: // groups, which no version of the protocol has had
			return errWire
		}
		if size > uint64(len(text)) {
			return errWire
		}
		field := text[:size]
		text = text[size:]
		// As the decoder does, this takes the lower bits of a number that is too large.
		inner, known := messages[kind][uint32(tag>>3)] //nolint:gosec // see above
		if !known {
			continue
		}
		if err := c.count(inner); err != nil {
			return err
		}
		if err := c.walk(field, inner, depth); err != nil {
			return err
		}
	}
	return nil
}

// varint reads a number of the wire format.
func varint(text []byte) (number uint64, rest []byte, ok bool) {
	const longest, bits, more = 10, 7, 0x80
	for i, b := range text {
		if i == longest {
			break
		}
		number |= uint64(b&^more) << (bits * i)
		if b < more {
			return number, text[i+1:], true
		}
	}
	return 0, nil, false
}

// checkJSON does the same for a request in JSON, where a message is an object, or an element of an array. Whether it is a span is not known
// here.
func checkJSON(body []byte) error {
	if !json.Valid(body) { // it does not recurse
		return errors.New("this is not JSON")
	}
	messages, depth := 0, 0
	var inArray [maxBrackets + 1]bool
	inText := false
	for i := 0; i < len(body); i++ {
		b := body[i]
		switch {
		case inText && b == '\\':
			i++
		case b == '"':
			inText = !inText
		case inText:
		case b == '{' || b == '[':
			if b == '[' || !inArray[depth] {
				messages++
			}
			if depth++; depth > maxBrackets {
				return errNesting
			}
			inArray[depth] = b == '['
		case b == '}' || b == ']':
			depth--
		case b == ',' && inArray[depth]:
			messages++
		}
		if messages > maxMessages {
			return errMessages
		}
	}
	return nil
}

package httpevent

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxALB is what a load balancer takes, in bytes: of a request's body, and of an answer.
const maxALB = 1 << 20

// eventV1 is payload format 1.0. Members are null where there is nothing, as REST APIs send them.
type eventV1 struct {
	Resource                        string              `json:"resource"`
	Path                            string              `json:"path"`
	HTTPMethod                      string              `json:"httpMethod"`
	Headers                         map[string]string   `json:"headers"`
	MultiValueHeaders               map[string][]string `json:"multiValueHeaders"`
	QueryStringParameters           map[string]string   `json:"queryStringParameters"`
	MultiValueQueryStringParameters map[string][]string `json:"multiValueQueryStringParameters"`
	PathParameters                  map[string]string   `json:"pathParameters"`
	StageVariables                  map[string]string   `json:"stageVariables"`
	RequestContext                  contextV1           `json:"requestContext"`
	Body                            *string             `json:"body"`
	IsBase64Encoded                 bool                `json:"isBase64Encoded"`
}

type contextV1 struct {
	AccountID         string     `json:"accountId"`
	APIID             string     `json:"apiId"`
	DomainName        string     `json:"domainName"`
	DomainPrefix      string     `json:"domainPrefix"`
	ExtendedRequestID string     `json:"extendedRequestId"`
	HTTPMethod        string     `json:"httpMethod"`
	Identity          identityV1 `json:"identity"`
	Path              string     `json:"path"`
	Protocol          string     `json:"protocol"`
	RequestID         string     `json:"requestId"`
	RequestTime       string     `json:"requestTime"`
	RequestTimeEpoch  int64      `json:"requestTimeEpoch"`
	ResourceID        string     `json:"resourceId"`
	ResourcePath      string     `json:"resourcePath"`
	Stage             string     `json:"stage"`
}

type identityV1 struct {
	AccessKey                     *string `json:"accessKey"`
	AccountID                     *string `json:"accountId"`
	Caller                        *string `json:"caller"`
	CognitoAuthenticationProvider *string `json:"cognitoAuthenticationProvider"`
	CognitoAuthenticationType     *string `json:"cognitoAuthenticationType"`
	CognitoIdentityID             *string `json:"cognitoIdentityId"`
	CognitoIdentityPoolID         *string `json:"cognitoIdentityPoolId"`
	PrincipalOrgID                *string `json:"principalOrgId"`
	SourceIP                      string  `json:"sourceIp"`
	User                          *string `json:"user"`
	UserAgent                     string  `json:"userAgent"`
	UserARN                       *string `json:"userArn"`
}

// The API that golam stands for has one stage, and resources for / and for every path below it.
const (
	stage   = "Prod"
	account = "123456789012"
)

// newEventV1 makes the event of a REST API. Its path is as the request has it, parameters are decoded.
func newEventV1(r *http.Request, path string, body []byte) eventV1 {
	o := originOf(r)
	id := requestID(r)
	e := eventV1{
		Resource: "/", Path: path, HTTPMethod: r.Method, Headers: map[string]string{}, MultiValueHeaders: forwarded(r, o),
		RequestContext: contextV1{
			AccountID: account, APIID: o.prefix, DomainName: o.host, DomainPrefix: o.prefix, ExtendedRequestID: id, HTTPMethod: r.Method,
			Identity: identityV1{SourceIP: o.source, UserAgent: r.UserAgent()}, Path: "/" + stage + path, Protocol: r.Proto, RequestID: id,
			RequestTime: o.now.Format(timeFormat), RequestTimeEpoch: o.now.UnixMilli(), ResourceID: "golam", Stage: stage,
		},
	}
	if below := strings.TrimPrefix(path, "/"); below != "" {
		if decoded, err := url.PathUnescape(below); err == nil {
			below = decoded
		}
		e.Resource, e.PathParameters = "/{proxy+}", map[string]string{"proxy": below}
	}
	e.RequestContext.ResourcePath = e.Resource
	for name, values := range e.MultiValueHeaders {
		e.Headers[name] = values[len(values)-1]
	}
	if values, _ := url.ParseQuery(r.URL.RawQuery); len(values) > 0 {
		e.MultiValueQueryStringParameters, e.QueryStringParameters = values, last(values)
	}
	if len(body) > 0 {
		// A REST API takes everything for text, unless it is told of binary types.
		text := string(body)
		if !utf8.Valid(body) {
			text, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
		}
		e.Body = &text
	}
	return e
}

// forwarded are the headers that AWS hands on, and those that it adds.
func forwarded(r *http.Request, o origin) map[string][]string {
	headers := map[string][]string{"Host": {r.Host}, "X-Forwarded-For": {o.source}, "X-Forwarded-Proto": {"http"}}
	if o.port != "" {
		headers["X-Forwarded-Port"] = []string{o.port}
	}
	for name, values := range r.Header {
		if _, own := headers[name]; !own && len(values) > 0 {
			headers[name] = values
		}
	}
	return headers
}

// last takes the last value of each.
func last(values map[string][]string) map[string]string {
	one := map[string]string{}
	for name, all := range values {
		one[name] = all[len(all)-1]
	}
	return one
}

// eventALB is that of a load balancer. It has either headers or multiValueHeaders, as the target group says; golam does not know, and
// sends both.
type eventALB struct {
	RequestContext                  contextALB          `json:"requestContext"`
	HTTPMethod                      string              `json:"httpMethod"`
	Path                            string              `json:"path"`
	QueryStringParameters           map[string]string   `json:"queryStringParameters"`
	MultiValueQueryStringParameters map[string][]string `json:"multiValueQueryStringParameters"`
	Headers                         map[string]string   `json:"headers"`
	MultiValueHeaders               map[string][]string `json:"multiValueHeaders"`
	Body                            string              `json:"body"`
	IsBase64Encoded                 bool                `json:"isBase64Encoded"`
}

type contextALB struct {
	ELB struct {
		TargetGroupARN string `json:"targetGroupArn"`
	} `json:"elb"`
}

// newEventALB makes the event of a load balancer, which decodes neither the path nor parameters.
func newEventALB(r *http.Request, path string, body []byte) eventALB {
	e := eventALB{HTTPMethod: r.Method, Path: path, MultiValueHeaders: map[string][]string{}, MultiValueQueryStringParameters: map[string][]string{}}
	e.RequestContext.ELB.TargetGroupARN = "arn:aws:elasticloadbalancing:us-east-1:" + account + ":targetgroup/golam/0123456789abcdef"
	for name, values := range forwarded(r, originOf(r)) {
		e.MultiValueHeaders[strings.ToLower(name)] = values
	}
	for parameter := range strings.SplitSeq(r.URL.RawQuery, "&") {
		if name, value, _ := strings.Cut(parameter, "="); name != "" {
			e.MultiValueQueryStringParameters[name] = append(e.MultiValueQueryStringParameters[name], value)
		}
	}
	e.Headers, e.QueryStringParameters = last(e.MultiValueHeaders), last(e.MultiValueQueryStringParameters)
	e.Body = string(body)
	if len(body) > 0 && (r.Header.Get("Content-Encoding") != "" || !isText(r.Header.Get("Content-Type"), body)) {
		e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	return e
}

// responseV1 is what a function answers to a REST API or a load balancer.
type responseV1 struct {
	StatusCode        *int                         `json:"statusCode"`
	Headers           map[string]json.RawMessage   `json:"headers"`
	MultiValueHeaders map[string][]json.RawMessage `json:"multiValueHeaders"`
	Body              *string                      `json:"body"`
	IsBase64Encoded   bool                         `json:"isBase64Encoded"`
}

// writeResponseV1 writes the answer to a REST API, where every member may be absent, and none be there that it does not know.
func writeResponseV1(w http.ResponseWriter, payload []byte) {
	var answer responseV1
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&answer)
	var content []byte
	if err == nil {
		content, err = answer.content()
	}
	if err != nil {
		writeFailure(w, V1, "the response is not of payload format 1.0: "+err.Error())
		return
	}
	answer.writeHeaders(w.Header())
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	status := http.StatusOK
	if answer.StatusCode != nil {
		status = *answer.StatusCode
	}
	write(w, V1, status, content)
}

// writeResponseALB writes the answer to a load balancer, which must have a status.
func writeResponseALB(w http.ResponseWriter, payload []byte) {
	var answer responseV1
	err := json.Unmarshal(payload, &answer)
	var content []byte
	switch {
	case err != nil:
	case len(payload) > maxALB:
		err = fmt.Errorf("it has more than %d bytes", maxALB)
	case answer.StatusCode == nil:
		err = fmt.Errorf("it has no statusCode")
	default:
		content, err = answer.content()
	}
	if err != nil {
		writeFailure(w, ALB, "the response is not one for a load balancer: "+err.Error())
		return
	}
	if w.Header()["Content-Type"] == nil {
		w.Header()["Content-Type"] = nil // or the server would guess
	}
	answer.writeHeaders(w.Header())
	write(w, ALB, *answer.StatusCode, content)
}

func write(w http.ResponseWriter, format Format, status int, content []byte) {
	const first, last = 200, 599
	if status < first || status > last {
		writeFailure(w, format, fmt.Sprintf("the status %d is not one of HTTP", status))
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write(content)
}

func (a responseV1) content() ([]byte, error) {
	if a.Body == nil {
		return nil, nil
	}
	if !a.IsBase64Encoded {
		return []byte(*a.Body), nil
	}
	content, err := base64.StdEncoding.DecodeString(*a.Body)
	if err != nil {
		return nil, fmt.Errorf("the body is not in base64: %w", err)
	}
	return content, nil
}

// writeHeaders merges the two kinds. Of a name in both, the several values count.
func (a responseV1) writeHeaders(h http.Header) {
	for _, name := range slices.Sorted(maps.Keys(a.Headers)) {
		if value, there := headerValue(a.Headers[name]); there && !serversOwn(name) {
			h.Set(name, value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.MultiValueHeaders)) {
		values := a.MultiValueHeaders[name]
		if len(values) == 0 || serversOwn(name) {
			continue
		}
		h.Del(name)
		for _, raw := range values {
			if value, there := headerValue(raw); there {
				h.Add(name, value)
			}
		}
	}
}

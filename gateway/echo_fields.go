package gateway

import (
	"encoding/json"
	"slices"

	"hookloop/internal/webhook"
)

// echoPaths are webhook.EchoPaths as the API shows them, and as it documents those it reads.
type echoPaths struct {
	Key   string `json:"key" maxLength:"4096" doc:"jq: which object a body is about." example:".data.id"`
	Value string `json:"value" maxLength:"4096" doc:"jq: the value that object has: all that a person may edit and others should hear of." example:".data | {name, email}"`
}

func application(f field) (string, error) {
	var name string
	if json.Unmarshal(f.value, &name) != nil || name != "" && webhook.CheckTenant(name) != nil { // spelt as tenants are
		return "", webhook.Invalidf("application", "must be 1 to 64 letters, digits, -, _ or single dots, begin with a letter or digit, and not end with a dot")
	}
	return name, nil
}

// endpointEcho reads true, or how to find object and value in what the endpoint is sent. null and
// false go back to neither.
func endpointEcho(f field) (back bool, paths webhook.EchoPaths, err error) {
	if json.Unmarshal(f.value, &back) == nil {
		return back, paths, nil
	}
	paths, err = sourceEcho(f)
	return false, paths, err
}

// sourceEcho reads how to find object and value; null says nothing.
func sourceEcho(f field) (p webhook.EchoPaths, err error) {
	if f.isNull() {
		return p, nil
	}
	all, err := parts(f, `{"key": ".data.id", "value": ".data"}`)
	if err != nil {
		return p, err
	}
	for _, part := range all {
		switch part.name {
		case "key":
			p.Key, err = jq("echo.key", part)
		case "value":
			p.Value, err = jq("echo.value", part)
		default:
			err = webhook.Invalidf("echo."+part.name, "is not a field of an echo (key, value)")
		}
		if err != nil {
			return p, err
		}
	}
	switch {
	case p.Key == "":
		return p, webhook.Invalidf("echo.key", "is required")
	case p.Value == "":
		return p, webhook.Invalidf("echo.value", "is required")
	}
	return p, nil
}

// parts reads the members of a field that is an object.
func parts(f field, example string) ([]field, error) {
	if f.value[0] != '{' {
		return nil, webhook.Invalidf(f.name, "must be an object like %s", example)
	}
	all, err := fields(f.value)
	if err != nil {
		return nil, webhook.Invalidf(f.name, "names a field twice")
	}
	return all, nil
}

// jq reads an expression. Whether it is one, checkExpressions says.
func jq(name string, f field) (string, error) {
	var text string
	if json.Unmarshal(f.value, &text) != nil || text == "" {
		return "", webhook.Invalidf(name, `must be a jq expression like ".data.id"`)
	}
	return text, nil
}

// requestShape is a webhook.RequestShape as the API shows it, and documents those it reads.
type requestShape struct {
	Method string `json:"method,omitempty" enum:"POST,PUT,PATCH,DELETE" doc:"Absent: POST."`
	Path   string `json:"path,omitempty" maxLength:"4096" doc:"jq over the envelope: a list of segments that follow the URL's path. Absent: the URL as it is." example:"[\"contacts\", .data.id, \"edit\"]"`
	Body   string `json:"body,omitempty" maxLength:"4096" doc:"jq over the envelope: the JSON to send. Absent: the envelope." example:".data.fields"`
}

var shapeMethods = []string{"", "POST", "PUT", "PATCH", "DELETE"}

// shapeOf merges a change into the shape there is; null goes back to the envelope, in whole or in part.
func shapeOf(now webhook.RequestShape, f field) (webhook.RequestShape, error) {
	if f.isNull() {
		return webhook.RequestShape{}, nil
	}
	all, err := parts(f, `{"method": "PATCH", "path": "[.data.id]", "body": ".data"}`)
	if err != nil {
		return now, err
	}
	next := now
	for _, part := range all {
		switch part.name {
		case "method":
			next.Method, err = shapeMethod(part)
		case "path":
			next.Path, err = jqOrNone("request.path", part)
		case "body":
			next.Body, err = jqOrNone("request.body", part)
		default:
			err = webhook.Invalidf("request."+part.name, "is not a field of a request (method, path, body)")
		}
		if err != nil {
			return now, err
		}
	}
	return next, nil
}

func shapeMethod(f field) (method string, err error) {
	if json.Unmarshal(f.value, &method) != nil || !slices.Contains(shapeMethods, method) {
		err = webhook.Invalidf("request.method", "must be POST, PUT, PATCH or DELETE")
	}
	return method, err
}

func jqOrNone(name string, f field) (string, error) {
	if f.isNull() {
		return "", nil
	}
	return jq(name, f)
}

// showEcho is what endpointEcho read; nil when it is neither.
func showEcho(e webhook.Endpoint) any {
	switch {
	case !e.Echo.IsZero():
		return echoPaths(e.Echo)
	case e.EchoBack:
		return true
	}
	return nil
}

package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"hookloop/internal/expression"
	"hookloop/internal/webhook"
)

// Expressions say whether a text is an expression; expression.Pool does. An *expression.Fault says that it
// is none, any other error that nothing was found out.
type Expressions interface {
	Check(ctx context.Context, tenant, text string) error
}

// The fields of endpoints and sources that hold expressions, and the members that do.
var (
	withExpressions = []string{"request", "echo"}
	expressionParts = []string{"path", "body", "key", "value"}
)

// checkExpressions has every expression among the fields compiled, so that it cannot turn out to be none when
// it is needed. It is asked before a transaction begins: an expression may take half a second.
func (g *Gateway) checkExpressions(ctx context.Context, tenant string, all []field) error {
	for _, f := range all {
		if !slices.Contains(withExpressions, f.name) || f.value[0] != '{' {
			continue
		}
		members, err := fields(f.value)
		if err != nil {
			continue // it is refused for that
		}
		for _, m := range members {
			var text string
			if !slices.Contains(expressionParts, m.name) || json.Unmarshal(m.value, &text) != nil || text == "" {
				continue
			}
			if err := g.checkExpression(ctx, tenant, f.name+"."+m.name, text); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *Gateway) checkExpression(ctx context.Context, tenant, name, text string) error {
	err := g.expressions.Check(ctx, tenant, text)
	if err == nil {
		return nil
	}
	if fault, ok := errors.AsType[*expression.Fault](err); ok {
		return webhook.Invalidf(name, "%s", shortened(fault.Error()))
	}
	return echoErr(err)
}

// echoErr says what is out of reach: expressions run in processes of their own, echoes lie in the
// registry.
func echoErr(err error) error {
	if _, ours := errors.AsType[*expression.Unavailable](err); ours {
		return &unavailableError{what: "the processes that run expressions", cause: err}
	}
	return registryErr(err)
}

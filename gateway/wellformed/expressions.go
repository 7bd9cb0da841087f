package wellformed

import (
	"context"
	"errors"

	"hookloop/gateway/problem"
	"hookloop/internal/expression"
	"hookloop/internal/webhook"
)

// Compiler says whether a text is an expression; expression.Pool does. An *expression.Fault says
// that it is none, any other error that nothing was found out.
type Compiler interface {
	Check(ctx context.Context, tenant, text string) error
}

// The fields of endpoints and sources that hold expressions, and the members that do.
var (
	withExpressions = []string{"request", "echo"}
	expressionParts = []string{"path", "body", "key", "value"}
)

// Expressions has every expression in a body compiled, so that it cannot turn out to be none when
// it is needed. It is asked before a transaction begins: an expression may take half a second.
func Expressions(ctx context.Context, by Compiler, tenant string, body map[string]any) error {
	for _, field := range withExpressions {
		members, _ := body[field].(map[string]any)
		for _, part := range expressionParts {
			text, _ := members[part].(string)
			if text == "" {
				continue
			}
			if err := checkExpression(ctx, by, tenant, field+"."+part, text); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkExpression(ctx context.Context, by Compiler, tenant, name, text string) error {
	err := by.Check(ctx, tenant, text)
	if err == nil {
		return nil
	}
	if fault, ok := errors.AsType[*expression.Fault](err); ok {
		return webhook.Invalidf(name, "%s", problem.Shortened(fault.Error()))
	}
	return problem.Expression(err)
}

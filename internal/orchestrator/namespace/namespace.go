// Package namespace prepares a Temporal cluster for Hookloop: the namespace its workflows live in
// and the search attributes they write. `hookloop migrate` runs it before the first start and
// before every upgrade; the embedded engine, which has its cluster to itself, does the same in its
// own store.
package namespace

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/api/enums/v1"
	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/types/known/durationpb"

	"hookloop/internal/webhook"
)

// Known is how long Prepare waits until every part of the cluster knows a new namespace; they ask
// for it every ten seconds.
const Known = 60 * time.Second

// Cluster is the part of the Temporal client that is needed here; client.Client is one.
type Cluster interface {
	WorkflowService() workflowservice.WorkflowServiceClient
	OperatorService() operatorservice.OperatorServiceClient
}

// Config says what there shall be.
type Config struct {
	Namespace        string
	Retention        time.Duration // zero: as it is, webhook.DefaultRetention for a new namespace
	SearchAttributes []string      // keywords
}

// Result tells what Prepare did.
type Result struct {
	Created   bool          `json:"created"`
	Retention time.Duration `json:"-"`
	Added     []string      `json:"added"` // search attributes
}

// Prepare makes what is missing. It may run twice, also at once. On Temporal Cloud, where both are
// made in its own console, it finds them there or says what to make.
func Prepare(ctx context.Context, c Cluster, cfg Config) (Result, error) {
	var r Result
	if err := ensure(ctx, c.WorkflowService(), cfg, &r); err != nil {
		return r, fmt.Errorf("namespace %s: %w", cfg.Namespace, err)
	}
	if err := addAttributes(ctx, c, cfg, &r); err != nil {
		return r, fmt.Errorf("search attributes of %s: %w", cfg.Namespace, err)
	}
	return r, nil
}

func ensure(ctx context.Context, s workflowservice.WorkflowServiceClient, cfg Config, r *Result) error {
	found, err := s.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: cfg.Namespace})
	if _, missing := errors.AsType[*serviceerror.NamespaceNotFound](err); missing {
		return register(ctx, s, cfg, r)
	}
	if err != nil {
		return err
	}
	r.Retention = found.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration()
	if cfg.Retention == 0 || cfg.Retention == r.Retention {
		return nil
	}
	_, err = s.UpdateNamespace(ctx, &workflowservice.UpdateNamespaceRequest{
		Namespace: cfg.Namespace,
		Config:    &namespacepb.NamespaceConfig{WorkflowExecutionRetentionTtl: durationpb.New(cfg.Retention)},
	})
	if err == nil {
		r.Retention = cfg.Retention
	}
	return err
}

func register(ctx context.Context, s workflowservice.WorkflowServiceClient, cfg Config, r *Result) error {
	r.Created, r.Retention = true, cmp.Or(cfg.Retention, webhook.DefaultRetention)
	_, err := s.RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace: cfg.Namespace, Description: "Hookloop", WorkflowExecutionRetentionPeriod: durationpb.New(r.Retention),
	})
	if _, raced := errors.AsType[*serviceerror.NamespaceAlreadyExists](err); raced {
		return nil
	}
	return err
}

// addAttributes makes what is missing, and returns when the cluster takes it. Parts of it do not
// know a new namespace yet, and refuse workflows with attributes that its list already shows.
func addAttributes(ctx context.Context, c Cluster, cfg Config, r *Result) error {
	ctx, cancel := context.WithTimeout(ctx, Known)
	defer cancel()
	for {
		missing, err := lacking(ctx, c, cfg)
		switch {
		case err == nil && len(missing) == 0:
			err = usable(ctx, c, cfg)
			if err == nil {
				return nil
			}
		case err == nil:
			err = add(ctx, c, cfg.Namespace, missing)
			r.Added = missing
		}
		if err != nil && !soon(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, fmt.Errorf("not known everywhere after %s", Known))
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// usable asks for workflows by every attribute, which a frontend that does not know one refuses.
func usable(ctx context.Context, c Cluster, cfg Config) error {
	if len(cfg.SearchAttributes) == 0 {
		return nil
	}
	_, err := c.WorkflowService().CountWorkflowExecutions(ctx, &workflowservice.CountWorkflowExecutionsRequest{
		Namespace: cfg.Namespace, Query: strings.Join(cfg.SearchAttributes, " IS NULL AND ") + " IS NULL",
	})
	if _, unknown := errors.AsType[*serviceerror.InvalidArgument](err); unknown {
		return unknownError{err}
	}
	return err
}

// unknownError is a refusal that passes once a frontend has heard of the search attributes.
type unknownError struct{ error }

func (e unknownError) Unwrap() error { return e.error }

func lacking(ctx context.Context, c Cluster, cfg Config) (missing []string, err error) {
	known, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: cfg.Namespace})
	if err != nil {
		return nil, err
	}
	for _, name := range cfg.SearchAttributes {
		switch kind, ok := known.GetCustomAttributes()[name]; {
		case !ok:
			missing = append(missing, name)
		case kind != enums.INDEXED_VALUE_TYPE_KEYWORD:
			return nil, fmt.Errorf("%s exists and is no keyword, but %s", name, kind)
		}
	}
	return missing, nil
}

func add(ctx context.Context, c Cluster, namespace string, missing []string) error {
	types := map[string]enums.IndexedValueType{}
	for _, name := range missing {
		types[name] = enums.INDEXED_VALUE_TYPE_KEYWORD
	}
	_, err := c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{Namespace: namespace, SearchAttributes: types})
	if _, exists := errors.AsType[*serviceerror.AlreadyExists](err); exists {
		return nil
	}
	if _, denied := errors.AsType[*serviceerror.PermissionDenied](err); denied {
		return fmt.Errorf("make these keywords where you manage the namespace: %v (%w)", missing, err)
	}
	return err
}

// soon says whether an error passes once the whole cluster knows the namespace and its attributes.
func soon(err error) bool {
	if _, unknown := errors.AsType[*serviceerror.NamespaceNotFound](err); unknown {
		return true
	}
	if _, unknown := errors.AsType[unknownError](err); unknown {
		return true
	}
	_, away := errors.AsType[*serviceerror.Unavailable](err)
	return away
}

package namespace

import (
	"context"
	"fmt"

	"go.temporal.io/api/workflowservice/v1"
)

// Columns are those that search attributes of any namespace of the cluster have in its visibility
// database, like Keyword01. A column that is reused by several namespaces may come more than once.
func Columns(ctx context.Context, c Cluster) ([]string, error) {
	var columns []string
	request := &workflowservice.ListNamespacesRequest{PageSize: 100}
	for {
		page, err := c.WorkflowService().ListNamespaces(ctx, request)
		if err != nil {
			return nil, fmt.Errorf("namespaces: %w", err)
		}
		for _, n := range page.GetNamespaces() {
			for column := range n.GetConfig().GetCustomSearchAttributeAliases() {
				columns = append(columns, column)
			}
		}
		if request.NextPageToken = page.GetNextPageToken(); len(request.NextPageToken) == 0 {
			return columns, nil
		}
	}
}

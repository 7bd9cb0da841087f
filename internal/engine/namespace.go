package engine

import (
	"context"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	persistencespb "go.temporal.io/server/api/persistence/v1"
	"go.temporal.io/server/common"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/persistence"
	"go.temporal.io/server/common/persistence/serialization"
	temporalsql "go.temporal.io/server/common/persistence/sql"
	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/common/resolver"
	schema "go.temporal.io/server/schema/sqlite"
	"google.golang.org/protobuf/types/known/durationpb"
)

// ensureNamespace makes the namespace before the server runs, so that the first client finds it
// whole, and gives one that exists the search attributes added since.
func ensureNamespace(ctx context.Context, store *config.SQL, cfg Config) error {
	namespace := &schema.NamespaceConfig{Detail: namespaceDetail(cfg)}
	if err := schema.CreateNamespaces(store, namespace); err != nil {
		return err
	}
	db, err := temporalsql.NewSQLDB(sqlplugin.DbKindMain, store, resolver.NewNoopResolver(),
		log.NewNoopLogger(), metrics.NoopMetricsHandler)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // the connection is the server's, this only gives a share of it back
	rows, err := db.SelectFromNamespace(ctx, sqlplugin.NamespaceFilter{Name: &cfg.Namespace})
	if err != nil {
		return err
	}
	detail, err := serialization.NewSerializer().NamespaceDetailFromBlob(
		persistence.NewDataBlob(rows[0].Data, rows[0].DataEncoding))
	if err != nil {
		return err
	}
	changed, err := addAliases(detail.GetConfig(), cfg.SearchAttributes)
	if err != nil || !changed {
		return err
	}
	blob, err := serialization.NewSerializer().NamespaceDetailToBlob(detail)
	if err != nil {
		return err
	}
	rows[0].Data, rows[0].DataEncoding = blob.GetData(), blob.GetEncodingType().String()
	_, err = db.UpdateNamespace(ctx, &rows[0])
	return err
}

// namespaceDetail is what schema.NewNamespaceConfig makes, but for the retention, and for the
// columns of the search attributes: that one draws them, and our indexes are made for fixed ones.
func namespaceDetail(cfg Config) *persistencespb.NamespaceDetail {
	return &persistencespb.NamespaceDetail{
		Info: &persistencespb.NamespaceInfo{
			Id:    primitives.NewUUID().String(),
			State: enumspb.NAMESPACE_STATE_REGISTERED,
			Name:  cfg.Namespace,
		},
		Config: &persistencespb.NamespaceConfig{
			Retention:               durationpb.New(cfg.Retention),
			HistoryArchivalState:    enumspb.ARCHIVAL_STATE_DISABLED,
			VisibilityArchivalState: enumspb.ARCHIVAL_STATE_DISABLED,
		},
		ReplicationConfig: &persistencespb.NamespaceReplicationConfig{
			ActiveClusterName: clusterName,
			Clusters:          []string{clusterName},
		},
		FailoverVersion:             common.EmptyVersion,
		FailoverNotificationVersion: -1,
	}
}

func keywordColumn(i int) string { return fmt.Sprintf("Keyword%02d", i+1) }

// addAliases reports whether it added a name. Giving a column that has values another name would
// give those values another meaning, so that is an error.
func addAliases(c *persistencespb.NamespaceConfig, names []string) (changed bool, err error) {
	if c.CustomSearchAttributeAliases == nil {
		c.CustomSearchAttributeAliases = map[string]string{}
	}
	for i, name := range names {
		column := keywordColumn(i)
		switch old, taken := c.CustomSearchAttributeAliases[column]; {
		case !taken:
			c.CustomSearchAttributeAliases[column] = name
			changed = true
		case old != name:
			return false, fmt.Errorf("search attribute %s: its column %s already holds %s", name, column, old)
		}
	}
	return changed, nil
}

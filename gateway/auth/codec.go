package auth

import (
	"context"
	"fmt"
	"net/http"

	"hookloop/api"
	"hookloop/internal/webhook"
)

// CodecAccess refuses requests whose token may not have payloads of histories decrypted. A payload
// does not tell whose it is: it takes the scope, and every tenant.
func CodecAccess(v Verifying) func(*http.Request) error {
	return func(r *http.Request) error {
		who, err := asking(v, r)
		if err != nil {
			return err
		}
		if !who.EveryTenant() {
			return webhook.Errorf(api.WrongTenant, "the token does not speak for every tenant, and a payload may belong to any of them")
		}
		return who.Allow(api.EveryTenant, api.AuditRead)
	}
}

// CodecReads notes who has payloads of histories decrypted. They may be any tenant's: the line is
// in the audit of each.
func CodecReads(v Verifying, log interface {
	Record(ctx context.Context, tenant string, l webhook.AuditLine) error
},
) func(r *http.Request, payloads int) error {
	return func(r *http.Request, payloads int) error {
		who, err := asking(v, r)
		if err != nil {
			return err
		}
		ctx := webhook.WithActor(r.Context(), webhook.Actor{Name: who.Subject, Via: webhook.ViaAPI})
		return log.Record(ctx, webhook.EveryTenant, webhook.AuditLine{
			Kind: webhook.AuditPayloadRead, Detail: fmt.Sprintf("%d payloads of histories decrypted", payloads),
		})
	}
}

// asking says who a request's token speaks for.
func asking(v Verifying, r *http.Request) (Principal, error) {
	token, err := Bearer(r.Header.Get("Authorization"))
	if err != nil {
		return Principal{}, err
	}
	return v.Verify(r.Context(), token)
}

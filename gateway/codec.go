package gateway

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"

	"hookloop/internal/webhook"
)

// AuditRead is the scope of who may read histories.
const AuditRead = "audit:read"

// CodecAccess says who may have payloads of histories decrypted, and answers everybody else. A payload
// does not tell whose it is: it takes the scope, and every tenant.
func CodecAccess(v TokenVerifier) (authorize func(*http.Request) error, refuse func(http.ResponseWriter, *http.Request, error)) {
	authorize = func(r *http.Request) error {
		token, err := bearer(r.Header.Get("Authorization"))
		if err != nil {
			return err
		}
		who, err := v.Verify(r.Context(), token)
		if err != nil {
			return err
		}
		if !slices.Contains(who.Tenants, "*") {
			return webhook.Errorf(WrongTenant, "the token does not speak for every tenant, and a payload may be anybody's")
		}
		return who.allow("*", AuditRead)
	}
	return authorize, refuseWith
}

// refuseWith answers with a problem where there is no gin.
func refuseWith(w http.ResponseWriter, _ *http.Request, err error) {
	p := newProblem(Internal, "something went wrong on our side")
	if said, ok := errors.AsType[*webhook.Error](err); ok {
		p = newProblem(said.Code, said.Error())
	}
	maps.Copy(w.Header(), p.header())
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

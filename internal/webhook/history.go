package webhook

import "time"

// DefaultRetention is how long Temporal keeps the history of a workflow that ended, by default.
// It bounds redelivery, idempotency and the audit.
const DefaultRetention = 30 * 24 * time.Hour

// EncodingEncrypted is the encoding of a payload in a history that is encrypted. Histories hold it,
// and Temporal's UI and samples know it.
const EncodingEncrypted = "binary/encrypted"

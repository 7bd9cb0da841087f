package cli

import (
	"fmt"
	"strings"

	"hookloop/api"
)

// providerHelp is what people need to know of a provider.
type providerHelp struct {
	name   string
	config string // what its config holds
	next   string // what to do there once there is a URL; {url} and {id} are the source's
}

// providers are those of the gateway, as docs/sources.md tells of them.
var providers = []providerHelp{
	{"mautic", "secrets: the webhook's", "in Mautic, Settings > Webhooks > New: {url} and the same secret"},
	{
		"stripe", "secrets: the destination's signing secret, whsec_…; tolerance",
		"in Stripe, Developers > Webhooks > Add destination: {url}; then give its secret: hookloop source update {id} --secret-file -",
	},
	{
		"paypal", "webhook_id: the id PayPal gives the webhook",
		`in PayPal's dashboard, your app > Webhooks > Add: {url}; then give its id: hookloop source update {id} --config '{"webhook_id": "…"}'`,
	},
	{
		"x", "consumer_secret, client_secret (of OAuth 2.0) or both: the app's",
		"register {url} with POST /2/webhooks; X wants https and no port, and tries it at once",
	},
	{
		"meta", "secrets: the app secret; verify_token: a random text of yours; allow_sha1",
		"in Meta's app dashboard, Webhooks: callback URL {url} and the same verify token",
	},
	{
		"google-channel", "token: a random text of yours; or channels: {ID: {token, resource_id, expiration}}",
		"call Google's watch with {url} as address and the same token; channels end, so call it again in time",
	},
	{
		"google-pubsub", "audience and email: of the push subscription and its service account; issuers",
		"in Pub/Sub, create a push subscription: endpoint {url}, authentication by the same service account and audience",
	},
	{
		"github", "secrets: the webhook's, a random text of yours; allow_sha1",
		"in GitHub, Settings > Webhooks > Add webhook: {url} and the same secret",
	},
	{
		"shopify", "secrets: the app's client secret, or the shop's",
		"in Shopify, Settings > Notifications > Webhooks, or by the app: {url}, format JSON",
	},
	{
		"slack", "secrets: the app's signing secret; tolerance",
		"at api.slack.com/apps, your app > Event Subscriptions: request URL {url}",
	},
	{
		"standard-webhooks", "secrets: whsec_…; or public_keys: whpk_…; tolerance",
		"give the sender {url}; if it tells its secret only then: hookloop source update {id} --secret-file -",
	},
	{
		"hmac", "any other: secrets, header, algorithm, encoding …; or kind: token or basic",
		"give the sender {url}, and the secret if you made it up",
	},
}

// providersHelp is a line for each provider.
func providersHelp() string {
	var b strings.Builder
	for _, p := range providers {
		fmt.Fprintf(&b, "  %-17s  %s\n", p.name, p.config)
	}
	return b.String()
}

// providerNames are what --provider takes.
func providerNames() []string {
	names := make([]string, len(providers))
	for i, p := range providers {
		names[i] = p.name
	}
	return names
}

// nextAt says what to do at the provider of a new source.
func nextAt(s api.Source) string {
	next := "tell the third party {url}"
	for _, p := range providers {
		if p.name == string(s.Provider) {
			next = p.next
		}
	}
	return strings.NewReplacer("{url}", s.IngestURL, "{id}", s.ID).Replace(next)
}

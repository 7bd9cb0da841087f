package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	"hookloop/api"
	"hookloop/client"
)

// Post an event with a key that the app can derive again, so that a crash of the app posts no
// second one; then wait until its deliveries have ended.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	hooks, err := client.New(client.Config{URL: "https://hooks.example.com", Tenant: "acme", Token: os.Getenv("HOOKLOOP_TOKEN")})
	if err != nil {
		log.Fatal(err)
	}
	order := api.NewEvent{Type: "order.paid", Data: json.RawMessage(`{"order":4711,"total":"12.90"}`)}
	accepted, err := hooks.Events.Send(order).IdempotencyKey("order-4711-paid").Do(ctx)
	if err != nil {
		log.Fatal(err)
	}
	event, err := hooks.Events.WaitDelivered(ctx, accepted.ID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(event.ID, event.Status)
}

// Go through a list that the gateway gives page by page, and redeliver what failed.
func ExampleList_All() {
	ctx := context.Background()
	hooks, err := client.New(client.Config{URL: "https://hooks.example.com", Tenant: "acme", Token: os.Getenv("HOOKLOOP_TOKEN")})
	if err != nil {
		log.Fatal(err)
	}
	for event, err := range hooks.Events.List(api.EventQuery{Status: api.EventFailed, After: "24h"}).All(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		if _, err := hooks.Events.Redeliver(event.ID, api.Redelivery{}).Do(ctx); err != nil {
			log.Print(err)
		}
	}
}

// Change one thing about an endpoint and take another back to its default; everything else stays.
func ExampleEndpoints_Update() {
	ctx := context.Background()
	hooks, err := client.New(client.Config{URL: "https://hooks.example.com", Tenant: "acme", Token: os.Getenv("HOOKLOOP_TOKEN")})
	if err != nil {
		log.Fatal(err)
	}
	change := api.EndpointChange{
		Timeout:  api.To(api.Duration(5 * time.Second)),
		Schedule: api.Clear[[]api.Duration](),
	}
	endpoint, err := hooks.Endpoints.Update("ep_01jzc8k0a2n4p6r8s0t2v4w6x8", change).Do(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(endpoint.Timeout)
}

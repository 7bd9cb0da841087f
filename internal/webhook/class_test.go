package webhook_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

// refusals are the status codes that speak of the event and not of the endpoint, a row of ten each.
// What they do not name is a failure, or a 2xx.
const refusals = `
400 - 402 - - - 406 - - 409
- 411 412 413 414 415 416 417 418 419
420 - 422 423 424 425 - 427 428 -
430 431 432 433 434 435 436 437 438 439
440 441 442 443 444 445 446 447 448 449
450 - 452 453 454 455 456 457 458 459
460 461 462 463 464 465 466 467 468 469
470 471 472 473 474 475 476 477 478 479
480 481 482 483 484 485 486 487 488 489
490 491 492 493 494 495 496 497 498 499`

// failing are those among 400 to 499 that speak of the endpoint.
var failing = map[int]string{
	401: "our credentials are refused", 403: "likewise", 404: "nothing is there", 405: "nothing that takes a POST is there",
	407: "a proxy stands before it", 408: "it gave up waiting", 410: "it wants no more", 421: "another server answered",
	426: "it speaks another protocol", 429: "not now", 451: "it may not take anything",
}

// TestEveryStatusHasAClass, with every directive.
func TestEveryStatusHasAClass(t *testing.T) {
	t.Parallel()
	rows := strings.Fields(refusals)
	require.Len(t, rows, 100)
	for status := 100; status < 1000; status++ {
		want := webhook.Fails
		switch _, fails := failing[status]; {
		case status/100 == 2:
			want = webhook.Took
		case status/100 == 4 && !fails:
			want = webhook.Refuses
		}
		if status/100 == 4 {
			require.Equal(t, want == webhook.Refuses, rows[status-400] != "-", status)
		}
		require.Equal(t, want, webhook.Attempt{StatusCode: status}.Class(), status)
		require.Equal(t, want, webhook.Attempt{StatusCode: status, Directive: webhook.DirectiveAbort}.Class(), "abort-message ends one delivery")
		require.Equal(t, want, webhook.AnswerOf(webhook.Attempt{StatusCode: status}, "evt_1").Class(), status)
		if want == webhook.Refuses {
			want = webhook.Fails
		}
		require.Equal(t, want, webhook.Attempt{StatusCode: status, Directive: webhook.DirectiveDisable}.Class(), "%d and disable", status)
	}
}

func TestEveryFailureHasAClass(t *testing.T) {
	t.Parallel()
	for _, f := range []webhook.Failure{
		webhook.FailureRefused, webhook.FailureReset, webhook.FailureDNS, webhook.FailureTLS, webhook.FailureTimeout,
		webhook.FailureAddress, webhook.FailureOther,
	} {
		require.Equal(t, webhook.Fails, webhook.Attempt{Failure: f}.Class(), f)
	}
	require.Equal(t, webhook.Refuses, webhook.Attempt{Failure: webhook.FailureRequest}.Class(), "the event has not what the request needs")
	require.Equal(t, webhook.Fails, webhook.Attempt{}.Class(), "no answer")
}

func TestAnAnswerIsReadAsASentence(t *testing.T) {
	t.Parallel()
	for want, a := range map[string]webhook.Attempt{
		"HTTP 404":                               {StatusCode: 404},
		"HTTP 400, webhook-delivery: disable":    {StatusCode: 400, Directive: webhook.DirectiveDisable},
		"no answer (timeout)":                    {Failure: webhook.FailureTimeout},
		"no answer":                              {},
		"no request: we do not dial its address": {Failure: webhook.FailureAddress},
		"no request could be made of the event":  {Failure: webhook.FailureRequest},
	} {
		require.Equal(t, want, webhook.AnswerOf(a, "").String())
	}
}

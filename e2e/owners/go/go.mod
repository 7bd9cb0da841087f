// What the portal's code to verify in Go needs; the test puts that code beside it.
module owner

go 1.26.8

require github.com/standard-webhooks/standard-webhooks/libraries v0.0.1

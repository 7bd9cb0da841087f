package embedded

const help = `Measure how fast this machine accepts and delivers events. Everything lives in a throw-away folder.

Alone, or with --bare: an embedded Temporal, gateway, worker, clients and one endpoint in this process,
each client as fast as it is answered. With --bare the same number of bare Temporal workflows (eager
start, one local activity that does nothing, the same payload) runs on the same engine, round by
round in alternation; the ratio says what Hookloop costs on top of Temporal, whatever the machine
does meanwhile.

With --latency, --rate, --failing, --outage or --overload, 'hookloop dev' runs in a process of its
own, a fresh one for each row, and this process plays apps and endpoints. Events are offered at a
pace, whatever the answers are; times run from when an event was due. What to look at are the ratios
to the row without latency of the same run: the figures themselves are this machine's.

  --latency    endpoints that answer after so long. First the peak is measured (3 s unmeasured, then
               10 s, 32 clients), then half of it is offered: for each latency 5 s or five times the
               latency unmeasured, then 20 s. Deferred are turns that passed without an attempt;
               workflows are deliveries that left the fast lane.
  --failing    an endpoint that answers 500 to a share of the attempts (1,500 events, 50/s, a retry
               after 1 s): what is delivered within 160 s, after how long, with how many attempts
  --outage     an endpoint that is down for so long: how fast it has everything once it is back, in
               which order, and whether it gets more in a second than it did before
  --overload   three times the peak for a minute from 128 clients: what is accepted, refused and
               lost, and how fast 20 events/s arrive before, and from 5 s after

With --table all of that is measured, one after the other, which takes half an hour on a machine that
does nothing else, and printed as Markdown: the tables of docs/benchmarks.md. Beside each row stand the
load average before and after it, and the share of its CPU that the machine did not get (steal).

With --neighbour it takes five more minutes to tell what a bad neighbour costs: one tenant's endpoint
gets 20 events a second alone, then while another tenant posts events as fast as it can for endpoints
that accept connections and never answer, and then beside those events.

With --held it takes some minutes to tell what deliveries cost that wait for a person: as many
events are posted for an endpoint that was paused; once all wait, CPU and memory are measured for a
minute, and the endpoint is resumed at --held-rate deliveries a second.`

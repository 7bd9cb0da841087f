package sqlstore

// statements are those that a dialect has a part in.
type statements struct {
	match, insertSubscriptions                 string
	selectArrivals, openArrivals, takeArrivals string
	activityOf                                 string

	deleteArrivals, deleteCreations, deleteRedelivered, deleteSubjects string // what has expired
	deleteWrites, deleteObjects, deleteBindings                        string // likewise
	deleteOutdated                                                     string // writes beyond a tenant's latest
	deletePortalLinks                                                  string // those that ended long ago

	selectAttempts, upsertAttempts, upsertCounts, upsertLatest string
	deleteAttempts, deleteCounts                               string // of the attempt log, what is old

	tallyByEndpoint, tallyOfEndpoints, countsByTime, countsOfEndpoint string
	latestOf, namesAmong                                              string
}

func statementsOf(d Dialect) statements {
	return statements{
		match:               d.Match(),
		insertSubscriptions: insertSubscriptions(d),
		selectArrivals:      selectArrivals(d),
		openArrivals:        openArrivals(d),
		takeArrivals:        takeArrivals(d),
		activityOf:          activityOf(d),
		deleteArrivals:      d.Delete(expiredArrivals),
		deleteCreations:     d.Delete(expiredCreations),
		deleteRedelivered:   d.Delete(expiredRedelivered),
		deleteSubjects:      d.Delete(expiredSubjects),
		deleteWrites:        d.Delete(expiredEchoes("echo_writes", writeKey)),
		deleteObjects:       d.Delete(expiredEchoes("echo_objects", objectKey)),
		deleteBindings:      d.Delete(expiredEchoes("bindings", "source_id, name")),
		deletePortalLinks:   d.Delete(endedPortalLinks),
		selectAttempts:      attemptTable(d).existing(),
		upsertAttempts:      attemptTable(d).upsert(replaced),
		upsertCounts:        countTable(d).upsert(added),
		upsertLatest:        latestTable(d).upsert(keepLatest),
		deleteAttempts:      d.Delete(oldAttempts),
		deleteCounts:        d.Delete(oldCounts),
		tallyByEndpoint:     tallyByEndpoint(),
		tallyOfEndpoints:    tallyOfEndpoints(d),
		countsByTime:        countsByTime(),
		countsOfEndpoint:    countsOfEndpoint(),
		latestOf:            latestOf(d),
		namesAmong:          namesAmong(d),
		deleteOutdated: d.Delete(Rows{
			Table: "echo_writes", Key: writeKey, Where: d.Outdated(), Order: "n", Limit: "10000",
		}),
	}
}

// HotPath gives the statements of accepting and delivering by name, for tests that ask a database
// how it would run them.
func HotPath(d Dialect) map[string]string {
	t := statementsOf(d)
	return map[string]string{
		"match":            t.match,
		"endpoint":         endpointTable.selects(byID),
		"source by id":     selectSourceByID,
		"arrivals":         t.selectArrivals,
		"withheld":         selectWithheld,
		"echo object":      selectObject,
		"echo to come":     isToCome,
		"take write":       takeWrite,
		"expired writes":   t.deleteWrites,
		"outdated writes":  t.deleteOutdated,
		"expired arrivals": t.deleteArrivals,

		"old attempts":       t.selectAttempts,
		"attempts":           listAttempts,
		"failed attempts":    listFailed,
		"events at":          listEventsAt,
		"tally by endpoint":  t.tallyByEndpoint,
		"tally of endpoints": t.tallyOfEndpoints,
		"counts by time":     t.countsByTime,
		"counts of endpoint": t.countsOfEndpoint,
		"latest of":          t.latestOf,
		"names among":        t.namesAmong,
		"expired attempts":   t.deleteAttempts,
		"expired counts":     t.deleteCounts,
		"gap to mend":        takeGap,

		"erasure":          selectErasure,
		"erased since":     listErased,
		"next erasure":     takeErasure,
		"subject's events": selectSubjects,
		"expired subjects": t.deleteSubjects,
	}
}

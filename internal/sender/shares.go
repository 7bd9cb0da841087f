package sender

// shares deals something scarce in this worker out among tenants. A tenant may take as long as it has less than
// what is free: one alone gets half of all, two a third each, and whoever comes next always finds some.
// (Choudhury and Hahne's dynamic thresholds, as switches deal out their memory.) It is guarded by the
// lock of its guards.
type shares struct {
	size int
	used int
	by   map[string]int // tenants that have none are not in it
}

func newShares(size int) shares { return shares{size: size, by: map[string]int{}} }

// take takes n for a tenant, or says that it has its share.
func (s *shares) take(tenant string, n int) bool {
	if s.by[tenant]+n > s.size-s.used {
		return false
	}
	s.used += n
	s.by[tenant] += n
	return true
}

func (s *shares) giveBack(tenant string, n int) {
	s.used -= n
	if s.by[tenant] -= n; s.by[tenant] <= 0 {
		delete(s.by, tenant)
	}
}

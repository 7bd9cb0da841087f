package guard

// shares deals something scarce in this worker out among tenants. A tenant may take as long as it
// has less than what is free: one alone gets half of all, two a third each, and the next tenant
// always finds some. (Choudhury and Hahne's dynamic thresholds, as switches deal out their memory.)
// The Guard's lock protects it.
type shares struct {
	size     int
	used     int
	byTenant map[string]int // tenants that have none are not in it
}

func newShares(size int) shares { return shares{size: size, byTenant: map[string]int{}} }

// take takes n for a tenant. False says that the tenant has its share already.
func (s *shares) take(tenant string, n int) bool {
	if s.byTenant[tenant]+n > s.size-s.used {
		return false
	}
	s.used += n
	s.byTenant[tenant] += n
	return true
}

func (s *shares) giveBack(tenant string, n int) {
	s.used -= n
	if s.byTenant[tenant] -= n; s.byTenant[tenant] <= 0 {
		delete(s.byTenant, tenant)
	}
}

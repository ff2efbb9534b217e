package invariant

import (
	"slices"

	"rig/runtime/history"
)

// bank: transfers move money between accounts, a read gives all balances as a map. Wrong is a read with another total, with
// an account that the first read does not have, without a balance, or with a negative one.
func bank(h *history.History, o Options) (*Verdict, error) {
	v := newVerdict()
	total := o.Total
	var accounts []string
	for i := range h.Ops {
		op := &h.Ops[i]
		if h.F(op) != "read" && h.F(op) != "transfer" {
			return nil, wrong(h, i, "read or transfer")
		}
		if h.F(op) != "read" || op.Type != history.OK {
			continue
		}
		if op.Out == nil || op.Out.Kind != history.Map {
			return nil, wrong(h, i, "a read of a map from accounts to balances")
		}
		v.Counts["reads"]++
		b := balances(op.Out)
		if accounts == nil {
			accounts = b.names
		}
		if total == nil && len(b.missing) == 0 {
			total = &b.sum
		}
		v.judgeBank(h, i, b, accounts, total, o.Negative)
	}
	if v.Counts["reads"] == 0 {
		v.Valid = Unknown
		v.Notes = append(v.Notes, "no balances were read")
	} else if o.Total == nil && total != nil {
		v.Notes = append(v.Notes, "the total was taken from the first read")
	}
	return v, nil
}

func (v *Verdict) judgeBank(h *history.History, i int, b sums, accounts []string, total *int64, negative bool) {
	for _, name := range b.names {
		if !slices.Contains(accounts, name) {
			v.fault("unexpected-key", "%s read the account %s, which is none", who(h, i), name)
		}
	}
	switch {
	case len(b.missing) > 0:
		v.fault("nil-balance", "%s read no balance of account %s", who(h, i), b.missing[0])
	case total != nil && b.sum != *total:
		v.fault("wrong-total", "%s read balances that add up to %d, not to %d", who(h, i), b.sum, *total)
	case b.negative != "" && !negative:
		v.fault("negative-value", "%s read a negative balance of account %s", who(h, i), b.negative)
	}
}

// sums is what a read of balances says.
type sums struct {
	names    []string
	missing  []string // accounts without a balance
	negative string   // an account
	sum      int64
}

func balances(m *history.Value) (b sums) {
	for i := 0; i+1 < len(m.Items); i += 2 {
		name, balance := m.Items[i].String(), &m.Items[i+1]
		b.names = append(b.names, name)
		if balance.Kind != history.Int {
			b.missing = append(b.missing, name)
			continue
		}
		b.sum += balance.Int
		if balance.Int < 0 {
			b.negative = name
		}
	}
	return b
}

package metric

import (
	"math"
	"slices"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// exactUpTo is how many values a distribution keeps as they are: 8 KiB, less than the smallest histogram takes.
const exactUpTo = 1024

// digits of a value that a histogram keeps: a quantile is wrong by one in a thousand at most.
const digits = 3

// The units of a histogram's whole numbers: nanoseconds for durations in seconds, millionths for other numbers.
const (
	nano  = 1e9
	micro = 1e6
)

// MaxValue is the largest magnitude that a distribution tells apart.
const MaxValue = 1e9

// Distribution holds observed numbers. The first 1024 give exact quantiles; beyond, they come from a histogram of three
// significant digits, whose memory grows with the range of the values and not with their number. Count, sum and extremes are exact.
type Distribution struct {
	Count    int64
	Sum      float64
	Min, Max float64

	exact    []float64
	sorted   bool
	scale    float64
	pos, neg *hdrhistogram.Histogram // neg holds magnitudes; both nil while exact has everything
}

// Observe takes a number, which must be finite; magnitudes beyond MaxValue count as that in quantiles.
func (d *Distribution) Observe(v float64) {
	if d.Count == 0 {
		d.Min, d.Max = v, v
	}
	d.Count++
	d.Sum += v
	d.Min, d.Max = min(d.Min, v), max(d.Max, v)
	if d.pos != nil {
		d.record(v)
		return
	}
	d.exact = append(d.exact, v)
	d.sorted = false
	if len(d.exact) < exactUpTo {
		return
	}
	if d.scale == 0 {
		d.scale = micro
	}
	d.pos, d.neg = newHistogram(0), newHistogram(0)
	for _, v := range d.exact {
		d.record(v)
	}
	d.exact = nil
}

func (d *Distribution) record(v float64) {
	if v < 0 {
		d.neg = record(d.neg, int64(math.Round(min(-v, MaxValue)*d.scale)))
		return
	}
	d.pos = record(d.pos, int64(math.Round(min(v, MaxValue)*d.scale)))
}

// smallest is the range of a new histogram: 16 ms in nanoseconds.
const smallest = 1 << 24

func newHistogram(atLeast int64) *hdrhistogram.Histogram {
	top := int64(smallest)
	for top < atLeast {
		top <<= 4
	}
	return hdrhistogram.New(1, top, digits)
}

// record adds a value; a histogram whose range is too small is replaced by a larger one.
func record(h *hdrhistogram.Histogram, v int64) *hdrhistogram.Histogram {
	if h.RecordValue(v) == nil {
		return h
	}
	larger := newHistogram(v)
	larger.Merge(h) // drops nothing: the range grew
	_ = larger.RecordValue(v)
	return larger
}

// Mean is 0 without values.
func (d *Distribution) Mean() float64 {
	if d.Count == 0 {
		return 0
	}
	return d.Sum / float64(d.Count)
}

// Quantile gives the value of nearest rank: the smallest observed number that at least the part q of all are not above.
// Without values it is 0.
func (d *Distribution) Quantile(q float64) float64 {
	if d.Count == 0 {
		return 0
	}
	rank := d.rank(q)
	switch rank {
	case 1:
		return d.Min
	case d.Count:
		return d.Max
	}
	if d.pos == nil {
		if !d.sorted {
			slices.Sort(d.exact)
			d.sorted = true
		}
		return d.exact[rank-1]
	}
	v := 0.0
	if below := d.neg.TotalCount(); rank <= below { // the largest magnitude is the smallest number
		v = -atRank(d.neg, below-rank+1) / d.scale
	} else {
		v = atRank(d.pos, rank-below) / d.scale
	}
	return min(max(v, d.Min), d.Max)
}

// rank counts from 1.
func (d *Distribution) rank(q float64) int64 {
	r := int64(math.Ceil(q*float64(d.Count) - 1e-9)) // 0.7*10 must not become 8
	return min(max(r, 1), d.Count)
}

// atRank asks for the percentile that the histogram rounds to the rank.
func atRank(h *hdrhistogram.Histogram, rank int64) float64 {
	return float64(h.ValueAtPercentile(100 * (float64(rank) - 0.25) / float64(h.TotalCount())))
}

package event

// How each payload is passed through the bus's secrets: a copy is made before it changes.

func redactFields(in []Field, f func(string) string) []Field {
	if in == nil {
		return nil
	}
	out := make([]Field, len(in))
	for i, x := range in {
		out[i] = Field{Key: x.Key, Value: f(x.Value)}
	}
	return out
}

func redactTexts(in []string, f func(string) string) []string {
	if in == nil {
		return nil
	}
	out := make([]string, len(in))
	for i, x := range in {
		out[i] = f(x)
	}
	return out
}

func (d *RunStart) redact(f func(string) string) Data {
	c := *d
	c.Target, c.Args, c.Params = f(c.Target), redactTexts(c.Args, f), redactFields(c.Params, f)
	return &c
}
func (d *Plan) redact(func(string) string) Data { return d }

func (d *RunEnd) redact(f func(string) string) Data {
	c := *d
	c.Error = c.Error.redact(f)
	return &c
}

func (d *Target) redact(f func(string) string) Data {
	c := *d
	c.Name, c.Address, c.Error = f(c.Name), f(c.Address), c.Error.redact(f)
	return &c
}

func (d *FileLoad) redact(f func(string) string) Data {
	c := *d
	c.Error = c.Error.redact(f)
	return &c
}
func (d *TestStart) redact(func(string) string) Data { return d }

func (d *TestEnd) redact(f func(string) string) Data {
	c := *d
	c.Reason = f(c.Reason)
	c.Errors = make([]*Error, len(d.Errors))
	for i, e := range d.Errors {
		c.Errors[i] = e.redact(f)
	}
	return &c
}

func (d *SessionOpen) redact(f func(string) string) Data {
	c := *d
	c.Target, c.Error = f(c.Target), c.Error.redact(f)
	return &c
}
func (d *SessionClose) redact(func(string) string) Data { return d }

func (d *Statement) redact(f func(string) string) Data {
	c := *d
	c.SQL, c.Error = f(c.SQL), c.Error.redact(f)
	return &c
}

func (d *StatementRunning) redact(f func(string) string) Data {
	c := *d
	c.SQL = f(c.SQL)
	return &c
}

func (d *Kill) redact(f func(string) string) Data {
	c := *d
	c.Cause, c.Error = f(c.Cause), c.Error.redact(f)
	return &c
}

func (d *Database) redact(f func(string) string) Data {
	c := *d
	c.Target, c.Error = f(c.Target), c.Error.redact(f)
	return &c
}

func (d *Transition) redact(f func(string) string) Data {
	c := *d
	c.Error = c.Error.redact(f)
	return &c
}

func (d *Task) redact(f func(string) string) Data {
	c := *d
	c.Error = c.Error.redact(f)
	return &c
}

func (d *Retry) redact(f func(string) string) Data {
	c := *d
	c.Error = c.Error.redact(f)
	return &c
}
func (d *Breaker) redact(func(string) string) Data { return d }

func (d *Progress) redact(f func(string) string) Data {
	c := *d
	c.Name, c.Value = f(c.Name), f(c.Value)
	return &c
}

func (d *Member) redact(f func(string) string) Data {
	c := *d
	c.Error = c.Error.redact(f)
	return &c
}

func (d *Expect) redact(f func(string) string) Data { return &Expect{Error: d.Error.redact(f)} }

func (d *Log) redact(f func(string) string) Data {
	c := *d
	c.Message, c.Fields = f(c.Message), redactFields(c.Fields, f)
	return &c
}

func (d *Span) redact(f func(string) string) Data {
	c := *d
	c.Name, c.Error = f(c.Name), c.Error.redact(f)
	return &c
}

func (d *Metric) redact(f func(string) string) Data {
	c := *d
	c.Labels = redactFields(c.Labels, f)
	return &c
}

func (d *Trace) redact(f func(string) string) Data {
	c := *d
	c.Source, c.Changes = f(c.Source), redactFields(c.Changes, f)
	return &c
}

func (d *Leak) redact(f func(string) string) Data {
	c := *d
	c.Detail = f(c.Detail)
	return &c
}
func (d *Signal) redact(func(string) string) Data { return d }

func (d *SinkDetached) redact(f func(string) string) Data {
	c := *d
	c.Cause = f(c.Cause)
	return &c
}

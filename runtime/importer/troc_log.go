package importer

import (
	"regexp"
	"strings"
)

// Troc prints what it found as a report in its log:
//
//	... BUG REPORT
//	 -- Create Table SQL: CREATE TABLE t(c0 INT PRIMARY KEY)
//	 -- InitializeStatements:
//		INSERT INTO t(c0) VALUES (1);
//	 -- Tx1: Transaction{1, REPEATABLE_READ}, with statements:
//		BEGIN;
//		...
//	 -- Tx2: ...
//	 -- Input Schedule: 1-1-2-2-1
//
// followed by what the server gave and what Troc wanted, which are not read: the statements and the order make the case.

var (
	logCreate   = regexp.MustCompile(`^--\s*Create Table SQL:\s*(.+)$`)
	logInitial  = regexp.MustCompile(`^--\s*InitializeStatements:`)
	logTx       = regexp.MustCompile(`^--\s*Tx[12]:\s*Transaction\{[12],\s*([A-Z_]+)\}`)
	logSchedule = regexp.MustCompile(`^--\s*Input Schedule:\s*([0-9-]+)$`)
	logOther    = regexp.MustCompile(`^--\s`)
)

// trocLog reads the reports of a log.
type trocLog struct {
	trocParser
	reading *[]statement // where statements go; nil for those of a transaction
	inTx    bool
}

func parseTrocLog(r *reader) ([]test, error) {
	p := &trocLog{trocParser: trocParser{reader: r}}
	if err := r.eachLine(p.logLine); err != nil {
		return nil, err
	}
	if p.t != nil {
		return nil, r.errorAt(len(r.text), "the report that begins on line %d has no Input Schedule", p.t.line)
	}
	return p.cases, nil
}

func (p *trocLog) logLine(at int, raw string) error {
	text := strings.TrimSpace(raw)
	at += len(raw) - len(strings.TrimLeft(raw, " \t"))
	number, _ := p.place(at)
	if reportOfTroc.MatchString(text) {
		if p.t != nil {
			return p.errorAt(at, "the report that begins on line %d has no Input Schedule", p.t.line)
		}
		p.t = &test{name: identifier(p.base()), doc: "From " + p.name + ".", line: number}
		p.current, p.orderAt, p.reading, p.inTx = nil, -1, nil, false
		return nil
	}
	switch {
	case p.t == nil || text == "":
	case logCreate.MatchString(text):
		p.t.setup = append(p.t.setup, trocStatement(logCreate.FindStringSubmatch(text)[1], number))
	case logInitial.MatchString(text):
		p.reading = &p.t.setup
	case logTx.MatchString(text):
		p.reading, p.inTx = nil, true
		return p.transaction(at, strings.ReplaceAll(logTx.FindStringSubmatch(text)[1], "_", " "))
	case logSchedule.MatchString(text):
		p.inTx = false
		if err := p.order(at, logSchedule.FindStringSubmatch(text)[1]); err != nil {
			return err
		}
		return p.finish(at)
	case logOther.MatchString(text):
		p.reading, p.inTx = nil, false
	case p.reading != nil:
		*p.reading = append(*p.reading, trocStatement(text, number))
	case p.inTx:
		p.t.addStep(p.current, &step{name: stepName(p.current.name, len(p.current.steps)+1), line: number, sql: []statement{trocStatement(text, number)}})
	}
	return nil
}

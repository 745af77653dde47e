package eventlog

import (
	"context"
	"errors"
	"fmt"
)

// swappable checks that the database can swap tables in one step.
func (r *rebuild) swappable(ctx context.Context) error {
	var engine string
	if err := r.conn.QueryRow(ctx, "SELECT engine FROM system.databases WHERE name = currentDatabase()").Scan(&engine); err != nil {
		return fmt.Errorf("asking for the database's engine: %w", err)
	}
	switch engine {
	case "Atomic", "Replicated", "Shared":
		return nil
	}
	return fmt.Errorf("the database has the engine %s, which cannot swap tables; Atomic can, which is what ClickHouse gives a database without being asked", engine)
}

// create makes the new table, with the TTL that the old one has.
func (r *rebuild) create(ctx context.Context) error {
	statements, err := r.config.fresh(r.name, r.mark)
	if err != nil {
		return err
	}
	if err := define(ctx, r.conn, statements...); err != nil {
		return err
	}
	local := r.config.local(r.fresh())
	fresh, err := readTTL(ctx, r.conn, local)
	if err != nil || fresh.days == r.ttl.days {
		return err
	}
	return define(ctx, r.conn, fresh.modify(local, r.ttl.days, r.config))
}

// swap puts the new table in the old one's place, unless somebody else has taken over.
func (r *rebuild) swap(ctx context.Context) error {
	found, err := look(ctx, r.conn, r.config, r.name)
	if err != nil {
		return err
	}
	if found.begun == nil || found.begun.ID != r.mark.ID {
		return errors.New("another rebuild has taken over")
	}
	statements, err := r.config.swap(r.name)
	if err != nil {
		return err
	}
	return define(ctx, r.conn, statements...)
}

// prove brings what the event log wrote into the old table since the plan into the new one, and compares that with Kafka
// and with the old table. An insert that the server began before the swap is of records that Kafka had by then, so what
// Kafka has after the swap is all that can be missing; what the event log itself has written, or writes at the same time,
// collapses.
func (r *rebuild) prove(ctx context.Context) error {
	r.progress.Step(r.name, "catching up")
	since, _, err := r.since(ctx)
	if err != nil {
		return err
	}
	if r.Caught, err = r.fill(ctx, r.name, since, true); err != nil {
		return err
	}
	r.reach(since)
	r.progress.Step(r.name, "verifying")
	v := verifier{config: r.config, kafka: r.kafka, conn: r.conn, admin: r.admin, compared: r.progress.Read}
	for _, of := range r.mark.Stretches {
		part := &part{table: r.tableOf(of.Topic), ttl: r.ttl, Verified: Verified{
			Topic: of.Topic, Table: r.name, Partition: of.Partition, From: of.From, To: of.To, FirstMissing: -1,
		}}
		if err := v.verify(ctx, part); err != nil {
			return fmt.Errorf("verifying %s, partition %d: %w", of.Topic, of.Partition, err)
		}
		r.Proof = append(r.Proof, part.Verified)
	}
	r.progress.Step(r.name, "comparing")
	r.Unknown, err = r.unknown(ctx, r.mark.Stretches)
	return err
}

// finish notes that the table is as the migrations say, deletes the old one, and takes the mark off the new one, in this
// order: as long as the mark is there, the rest can be done again. The old table stays where there is a reason to look at it.
func (r *rebuild) finish(ctx context.Context) error {
	found, err := look(ctx, r.conn, r.config, r.name)
	if err != nil {
		return err
	}
	if found.done == nil || found.done.ID != r.mark.ID {
		return errors.New("another rebuild has taken over")
	}
	all, err := migrations()
	if err != nil {
		return err
	}
	for _, migration := range all {
		if !migration.of(r.name) {
			continue
		}
		if err := migration.note(ctx, r.conn); err != nil {
			return fmt.Errorf("noting migration %s: %w", migration.name, err)
		}
	}
	isKept := found.isFresh && (r.what.Keep || r.Unknown > 0 || !r.IsExact())
	if isKept {
		r.Kept = r.config.local(r.name + keptSuffix)
	}
	if err := define(ctx, r.conn, r.config.drop(r.name, isKept)...); err != nil {
		return err
	}
	r.progress.Step(r.name, "unmarking")
	return define(ctx, r.conn, r.config.unmark(r.name))
}

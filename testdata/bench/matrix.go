package main

import (
	"context"
	"fmt"
	"time"
)

const matrixLimit = 8 * time.Second

// matrix is the whole gallery of anomalies at every level of MariaDB, REPEATABLE READ twice, the server's start included.
func (b *bench) matrix(ctx context.Context) error {
	var walls []time.Duration
	for range b.rounds {
		c, err := measure(ctx, b.dir, b.rig, "matrix", "-t", "mariadb")
		if err != nil {
			return err
		}
		walls = append(walls, c.wall)
	}
	wall := median(walls)
	b.judge("rig matrix, every level, MariaDB", matrixLimit.String(), fmt.Sprintf("%.2f s", wall.Seconds()), float64(wall)/float64(matrixLimit), 1)
	return nil
}

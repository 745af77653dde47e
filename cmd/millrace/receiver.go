package main

import (
	"fmt"

	"github.com/millrace/millrace/embedded"
	"github.com/millrace/millrace/embedded/receiver"
)

type receiverCommand struct {
	Receiver embedded.ReceiverConfig `embed:"" prefix:"receiver-"`
}

// Help is shown by --help.
func (receiverCommand) Help() string {
	return "It takes runs as Knock does, starts nothing, prints each run and lists them at /runs. It is for trying things " +
		"out: it asks for no key and forgets all when it ends."
}

// Run runs the receiver until a signal.
func (c *receiverCommand) Run(global *Global, ctx bound) error {
	logger, err := global.logger()
	if err != nil {
		return err
	}
	taking, err := receiver.Start(ctx, receiver.Options{Addr: c.Receiver.Listen, Show: showRun, Logger: logger})
	if err != nil {
		return err
	}
	fmt.Println("Runs are taken at", taking.URL())
	<-ctx.Done()
	return taking.Close()
}

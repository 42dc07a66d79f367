// Serves a kube-apiserver with the etcd that it needs, in one process: no kubelet, no controllers, no root.
//
// The first argument is the folder of etcd; the rest is for kube-apiserver, which is told of etcd by itself.
package main

import (
	"fmt"
	"net/url"
	"os"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	if len(os.Args) < 2 {
		fatal(fmt.Errorf("usage: apiserver ETCD-FOLDER FLAG…"))
	}
	etcd, err := started(os.Args[1])
	if err != nil {
		fatal(err)
	}
	<-etcd.Server.ReadyNotify()
	command := app.NewAPIServerCommand()
	command.SetArgs(append([]string{"--etcd-servers=http://" + etcd.Clients[0].Addr().String()}, os.Args[2:]...))
	code := cli.Run(command)
	etcd.Close()
	os.Exit(code)
}

// started runs etcd on free ports of loopback.
func started(folder string) (*embed.Etcd, error) {
	free := url.URL{Scheme: "http", Host: "127.0.0.1:0"}
	config := embed.NewConfig()
	config.Dir = folder
	config.LogLevel = "error"
	config.UnsafeNoFsync = true
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{free}, []url.URL{free}
	config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{free}, []url.URL{free}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	return embed.StartEtcd(config)
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, "apiserver:", err)
	os.Exit(2)
}

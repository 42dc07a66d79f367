// Asks the endpoint of an AdmissionConfiguration as kube-apiserver's plugin ImagePolicyWebhook does: the plugin itself,
// without the server around it.
//
// Reads one question a line, {"pod": …, "subresource": ""}, and answers each with {"admitted": …, "message": …}.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/admission"
	apiserverinstall "k8s.io/apiserver/pkg/apis/apiserver/install"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	core "k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	"k8s.io/kubernetes/plugin/pkg/admission/imagepolicy"
)

const lineBytes = 16 << 20

type question struct {
	Pod         corev1.Pod `json:"pod"`
	Subresource string     `json:"subresource"`
}

type answer struct {
	Admitted bool   `json:"admitted"`
	Message  string `json:"message"`
}

func main() {
	if len(os.Args) != 2 {
		fatal(fmt.Errorf("usage: asker ADMISSION-CONFIGURATION"))
	}
	plugin, err := configured(os.Args[1])
	if err != nil {
		fatal(err)
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, lineBytes)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			fatal(err)
		}
		var given answer
		if err := ask(plugin, asked); err != nil {
			given.Message = err.Error()
		} else {
			given.Admitted = true
		}
		if err := answers.Encode(given); err != nil {
			fatal(err)
		}
	}
}

// configured makes the plugin from the file that kube-apiserver takes as --admission-control-config-file.
func configured(path string) (admission.ValidationInterface, error) {
	scheme := runtime.NewScheme()
	apiserverinstall.Install(scheme)
	provider, err := admission.ReadAdmissionConfiguration([]string{imagepolicy.PluginName}, path, scheme)
	if err != nil {
		return nil, err
	}
	section, err := provider.ConfigFor(imagepolicy.PluginName)
	if err != nil {
		return nil, err
	}
	return imagepolicy.NewImagePolicyWebhook(section)
}

func ask(plugin admission.ValidationInterface, asked question) error {
	var pod core.Pod
	if err := legacyscheme.Scheme.Convert(&asked.Pod, &pod, nil); err != nil {
		return err
	}
	operation := admission.Create
	if asked.Subresource != "" {
		operation = admission.Update
	}
	attributes := admission.NewAttributesRecord(&pod, nil, core.Kind("Pod").WithVersion("v1"), pod.Namespace, pod.Name,
		core.Resource("pods").WithVersion("v1"), asked.Subresource, operation, nil, false, &user.DefaultInfo{Name: "lab"})
	return plugin.Validate(context.Background(), attributes, nil)
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, "asker:", err)
	os.Exit(2)
}

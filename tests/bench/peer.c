/* A peer that does nothing but move bytes, at the speed of the kernel: what the load generator can drive at most.
   Bodies it receives are dropped unread (MSG_TRUNC), bodies it sends come from a memory file. Not a registry.
   Usage: peer PORT SIZE, SIZE being the bytes of every blob it answers with. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

static size_t blob_size;
static int blob;

static int drop(int link, long left) {
    static __thread char none[1 << 20];
    while (left > 0) {
        ssize_t got = recv(link, none, left < (long)sizeof none ? left : (long)sizeof none, MSG_TRUNC);
        if (got <= 0) return -1;
        left -= got;
    }
    return 0;
}

static int reply(int link, const char *status, size_t size, const char *body, int head_only) {
    char head[256];
    int n = snprintf(head, sizeof head, "HTTP/1.1 %s\r\nLocation: /v2/x/blobs/uploads/1\r\nContent-Length: %zu\r\n\r\n%s",
                     status, size, body);
    (void)head_only;
    return send(link, head, n, MSG_NOSIGNAL) == n ? 0 : -1;
}

static int send_blob(int link, int head_only) {
    off_t at = 0;
    if (reply(link, "200 OK", blob_size, "", head_only)) return -1;
    while (!head_only && at < (off_t)blob_size)
        if (sendfile(link, blob, &at, blob_size - at) <= 0) return -1;
    return 0;
}

static int answer(int link, const char *head) {
    int is_head = !strncmp(head, "HEAD ", 5);
    if (!strncmp(head, "POST ", 5) || !strncmp(head, "PATCH ", 6)) return reply(link, "202 Accepted", 0, "", 0);
    if (!strncmp(head, "PUT ", 4)) return reply(link, "201 Created", 0, "", 0);
    if (memmem(head, 60, "/blobs/", 7)) return send_blob(link, is_head);
    return reply(link, "200 OK", 2, is_head ? "" : "{}", is_head);
}

static void *serve(void *argument) {
    int link = (int)(long)argument;
    char data[65536];
    size_t held = 0;
    for (;;) {
        char *end;
        while (!(end = memmem(data, held, "\r\n\r\n", 4))) {
            ssize_t got = recv(link, data + held, sizeof data - 1 - held, 0);
            if (got <= 0) goto out;
            held += got;
        }
        *end = 0;
        size_t head = end + 4 - data;
        char *found = strcasestr(data, "content-length:");
        long body = found ? atol(found + 15) : 0;
        long here = (long)(held - head) < body ? (long)(held - head) : body;
        if (drop(link, body - here) || answer(link, data)) goto out;
        held -= head + here;
        memmove(data, data + head + here, held);
    }
out:
    close(link);
    return NULL;
}

int main(int count, char **words) {
    if (count != 3) return 2;
    blob_size = strtoul(words[2], NULL, 10);
    blob = memfd_create("blob", 0);
    if (ftruncate(blob, blob_size)) return 1;
    int one = 1, gate = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(atoi(words[1]))};
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(gate, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(gate, (struct sockaddr *)&where, sizeof where) || listen(gate, 256)) return 1;
    for (;;) {
        pthread_t thread;
        int link = accept(gate, NULL, NULL);
        setsockopt(link, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        /* As the server does between two ends on one machine: what is asked for is the generator's limit, not BBR's. */
        setsockopt(link, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
        pthread_create(&thread, NULL, serve, (void *)(long)link);
        pthread_detach(thread);
    }
}

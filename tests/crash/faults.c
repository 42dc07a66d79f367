/* Preloaded into a server: counts the calls that reach its files, notes what they change, and kills, refuses or lies.

   A process takes part once it has called faults_use(control, root). What is to happen is read from the control file,
   which the test maps as well: tests/crash/control.py has the same structure. What the calls have changed is appended
   to the file CONTROL.notes: tests/crash/notes.py reads it. Both files lie outside of root.

   Effect and note of a call are made under one lock, so that the notes are in the order of the effects. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum act { NOTHING, KILL_BEFORE, KILL_MIDDLE, KILL_AFTER, REFUSE, SHORT, LIE };
enum kind { OPEN = 1, CREATE = 2, WRITE = 4, SYNC = 8, NAME = 16, SIZE = 32, READ = 64 };
enum note { N_CREATE = 1, N_WRITE, N_SYNC, N_SIZE, N_RENAME, N_LINK, N_UNLINK, N_MKDIR, N_RMDIR, N_SYNC_ALL, N_LOST,
            N_LOST_ALL, N_MODE };

struct control {
    int64_t calls;  /* counted so far */
    int64_t at;     /* the number of the call at which it happens; 0: at none */
    int64_t times;  /* to how many calls from there on */
    int64_t act;
    int64_t error;  /* errno of a refusal */
    int64_t kinds;  /* of the calls that count */
    int64_t hit;    /* how often it has happened */
    int64_t clock;  /* nanoseconds that the clock of the day is ahead */
    int64_t noting; /* whether changes are noted */
    char part[192]; /* of the paths that count; empty: all */
};

struct head {
    int64_t note, inode, offset, first, second; /* lengths of two texts that follow */
};

static struct control *control;
static pid_t owner;
static int notes = -1;
static char root[PATH_MAX];
static size_t root_length;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int faults_use(const char *path, const char *folder) {
    char name[PATH_MAX];
    int descriptor = syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    struct control *found = mmap(NULL, sizeof *found, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    syscall(SYS_close, descriptor);
    if (found == MAP_FAILED) return -1;
    snprintf(name, sizeof name, "%s.notes", path);
    notes = syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    snprintf(root, sizeof root, "%s", folder);
    root_length = strlen(root);
    owner = getpid();
    control = found;
    return notes < 0 ? -1 : 0;
}

static int in_use(void) { return control && getpid() == owner; }

static int is_ours(const char *path) {
    if (strncmp(path, root, root_length) || path[root_length] != '/') return 0;
    size_t length = strlen(path);
    return length < 4 || strcmp(path + length - 4, "-shm"); /* shared memory: nothing of it outlives a crash */
}

static int path_of(int descriptor, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return is_ours(path);
}

static int absolute(int folder, const char *name, char *path) {
    if (name[0] == '/') {
        snprintf(path, PATH_MAX, "%s", name);
    } else {
        if (folder == AT_FDCWD) {
            if (!getcwd(path, PATH_MAX)) return 0;
        } else {
            char link[64];
            snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
            ssize_t length = readlink(link, path, PATH_MAX - 1);
            if (length < 0) return 0;
            path[length] = 0;
        }
        size_t used = strlen(path);
        snprintf(path + used, PATH_MAX - used, "/%s", name);
    }
    return is_ours(path);
}

static void note(int kind, int64_t inode, int64_t offset, const void *first, size_t a, const void *second, size_t b) {
    if (!control->noting) return;
    struct head head = {kind, inode, offset, a, b};
    struct iovec parts[3] = {{&head, sizeof head}, {(void *)first, a}, {(void *)second, b}};
    syscall(SYS_writev, notes, parts, 3);
}

static int64_t inode_of(int descriptor) {
    struct stat found;
    return fstat(descriptor, &found) ? 0 : (int64_t)found.st_ino;
}

static void die(void) {
    kill(owner, SIGKILL);
    for (;;) pause();
}

/* What is to happen at this call, which is counted; to be asked under the lock. */
static enum act fate(int kind, const char *path) {
    if (!(control->kinds & kind) || (control->part[0] && !strstr(path, control->part))) return NOTHING;
    int64_t number = __atomic_add_fetch(&control->calls, 1, __ATOMIC_SEQ_CST);
    if (!control->at || number < control->at || number >= control->at + control->times) return NOTHING;
    control->hit++;
    if (control->act == KILL_BEFORE) die();
    return control->act;
}

static void enter(void) { pthread_mutex_lock(&lock); }

static void leave(enum act act) {
    if (act == KILL_AFTER || act == KILL_MIDDLE) die();
    int kept = errno;
    pthread_mutex_unlock(&lock);
    errno = kept;
}

#define REFUSED(act) ((act) == REFUSE ? (errno = (int)control->error, 1) : 0)

/* Opening */

static int opened(int folder, const char *name, int flags, mode_t mode) {
    char path[PATH_MAX];
    if (!in_use() || !absolute(folder, name, path)) return syscall(SYS_openat, folder, name, flags, mode);
    enter();
    int makes = (flags & O_CREAT) && access(path, F_OK);
    enum act act = fate(OPEN | (makes || (flags & O_TRUNC) ? CREATE : 0), path);
    int result = REFUSED(act) ? -1 : (int)syscall(SYS_openat, folder, name, flags, mode);
    struct stat made = {0};
    if (result >= 0 && makes && !fstat(result, &made))
        note(N_CREATE, (int64_t)made.st_ino, made.st_mode & 0777, path, strlen(path), NULL, 0);
    else if (result >= 0 && (flags & O_TRUNC)) note(N_SIZE, inode_of(result), 0, path, strlen(path), NULL, 0);
    leave(act);
    return result;
}

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | __O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); }

int open(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE(flags) return opened(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE(flags) return opened(folder, path, flags, mode); }
int __open_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }
int __openat_2(int folder, const char *path, int flags) { return opened(folder, path, flags, 0); }
int __openat64_2(int folder, const char *path, int flags) { return opened(folder, path, flags, 0); }

/* Reading */

static int read_refused(int descriptor) {
    char path[PATH_MAX];
    if (!in_use() || !(control->kinds & READ) || !path_of(descriptor, path)) return 0;
    enter();
    int refused = REFUSED(fate(READ, path));
    leave(NOTHING);
    return refused;
}

ssize_t read(int descriptor, void *into, size_t length) {
    return read_refused(descriptor) ? -1 : syscall(SYS_read, descriptor, into, length);
}
ssize_t pread(int descriptor, void *into, size_t length, off_t offset) {
    return read_refused(descriptor) ? -1 : syscall(SYS_pread64, descriptor, into, length, offset);
}
ssize_t pread64(int descriptor, void *into, size_t length, off64_t offset) {
    return read_refused(descriptor) ? -1 : syscall(SYS_pread64, descriptor, into, length, offset);
}

/* Writing */

static ssize_t put(int descriptor, const char *bytes, size_t length, off_t offset) {
    return offset < 0 ? syscall(SYS_write, descriptor, bytes, length)
                      : syscall(SYS_pwrite64, descriptor, bytes, length, offset);
}

static off_t place_of(int descriptor) {
    struct stat found;
    if (fcntl(descriptor, F_GETFL) & O_APPEND) return fstat(descriptor, &found) ? 0 : found.st_size;
    return lseek(descriptor, 0, SEEK_CUR);
}

/* A negative offset: where the descriptor stands. */
static ssize_t written(int descriptor, const char *bytes, size_t length, off_t offset) {
    char path[PATH_MAX];
    if (!in_use() || !path_of(descriptor, path)) return put(descriptor, bytes, length, offset);
    enter();
    enum act act = fate(WRITE, path);
    off_t place = offset < 0 ? place_of(descriptor) : offset;
    size_t part = (act == KILL_MIDDLE || act == SHORT) && length > 1 ? length / 2 : length;
    ssize_t result = REFUSED(act) ? -1 : act == LIE ? (ssize_t)length : put(descriptor, bytes, part, offset);
    if (result > 0 && act != LIE) note(N_WRITE, inode_of(descriptor), place, path, strlen(path), bytes, result);
    leave(act);
    return result;
}

static ssize_t gathered(int descriptor, const struct iovec *parts, int count, off_t offset) {
    size_t length = 0, used = 0;
    for (int number = 0; number < count; number++) length += parts[number].iov_len;
    char *bytes = malloc(length + 1);
    for (int number = 0; number < count; used += parts[number++].iov_len)
        memcpy(bytes + used, parts[number].iov_base, parts[number].iov_len);
    ssize_t result = written(descriptor, bytes, length, offset);
    free(bytes);
    return result;
}

static int is_file_of_ours(int descriptor) {
    char path[PATH_MAX];
    return in_use() && path_of(descriptor, path);
}

ssize_t write(int descriptor, const void *bytes, size_t length) { return written(descriptor, bytes, length, -1); }
ssize_t pwrite(int descriptor, const void *bytes, size_t length, off_t at) { return written(descriptor, bytes, length, at); }
ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off64_t at) { return written(descriptor, bytes, length, at); }
ssize_t writev(int descriptor, const struct iovec *parts, int count) {
    return is_file_of_ours(descriptor) ? gathered(descriptor, parts, count, -1) : syscall(SYS_writev, descriptor, parts, count);
}
ssize_t pwritev(int descriptor, const struct iovec *parts, int count, off_t at) {
    return is_file_of_ours(descriptor) ? gathered(descriptor, parts, count, at) : REAL(pwritev)(descriptor, parts, count, at);
}
ssize_t pwritev64(int descriptor, const struct iovec *parts, int count, off64_t at) {
    return is_file_of_ours(descriptor) ? gathered(descriptor, parts, count, at) : REAL(pwritev64)(descriptor, parts, count, at);
}
ssize_t pwritev2(int descriptor, const struct iovec *parts, int count, off_t at, int flags) {
    return is_file_of_ours(descriptor) ? gathered(descriptor, parts, count, at)
                                       : REAL(pwritev2)(descriptor, parts, count, at, flags);
}
ssize_t pwritev64v2(int descriptor, const struct iovec *parts, int count, off64_t at, int flags) {
    return is_file_of_ours(descriptor) ? gathered(descriptor, parts, count, at)
                                       : REAL(pwritev64v2)(descriptor, parts, count, at, flags);
}
/* Copies between files go the way of read and write: callers fall back on that. */
ssize_t sendfile(int out, int in, off_t *at, size_t length) {
    return is_file_of_ours(out) ? (errno = ENOTSOCK, -1) : syscall(SYS_sendfile, out, in, at, length);
}
ssize_t sendfile64(int out, int in, off64_t *at, size_t length) { return sendfile(out, in, at, length); }
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t length, unsigned flags) {
    return is_file_of_ours(out) ? (errno = EXDEV, -1) : syscall(SYS_copy_file_range, in, from, out, to, length, flags);
}

/* Syncing */

static int synced(long number, int descriptor, int all) {
    char path[PATH_MAX];
    if (!in_use() || !path_of(descriptor, path)) return (int)syscall(number, descriptor);
    enter();
    enum act act = fate(SYNC, path);
    int result = REFUSED(act) ? -1 : 0; /* this disk is a page cache: what counts is the note */
    int kind = result ? (all ? N_LOST_ALL : N_LOST) : (all ? N_SYNC_ALL : N_SYNC);
    if (act != LIE) note(kind, inode_of(descriptor), 0, path, strlen(path), NULL, 0);
    leave(act);
    return result;
}

int fsync(int descriptor) { return synced(SYS_fsync, descriptor, 0); }
int fdatasync(int descriptor) { return synced(SYS_fdatasync, descriptor, 0); }
int syncfs(int descriptor) { return synced(SYS_syncfs, descriptor, 1); }
int sync_file_range(int descriptor, off64_t at, off64_t length, unsigned flags) {
    (void)descriptor, (void)at, (void)length, (void)flags;
    return 0; /* a hint */
}

/* Sizes */

static int sized(int descriptor, off_t size, off_t from) {
    char path[PATH_MAX];
    int ours = in_use() && path_of(descriptor, path);
    enum act act = NOTHING;
    if (ours) { enter(); act = fate(SIZE, path); }
    int result = ours && REFUSED(act) ? -1
                 : from < 0           ? (int)syscall(SYS_ftruncate, descriptor, size)
                                      : (int)syscall(SYS_fallocate, descriptor, 0, from, size);
    struct stat found;
    if (ours && !result && !fstat(descriptor, &found))
        note(N_SIZE, inode_of(descriptor), found.st_size, path, strlen(path), NULL, 0);
    if (ours) leave(act);
    return result;
}

int ftruncate(int descriptor, off_t size) { return sized(descriptor, size, -1); }
int ftruncate64(int descriptor, off64_t size) { return sized(descriptor, size, -1); }
int fallocate(int descriptor, int mode, off_t from, off_t size) {
    return mode ? (int)syscall(SYS_fallocate, descriptor, mode, from, size) : sized(descriptor, size, from);
}
int fallocate64(int descriptor, int mode, off64_t from, off64_t size) { return fallocate(descriptor, mode, from, size); }
int posix_fallocate(int descriptor, off_t from, off_t size) { return sized(descriptor, size, from) ? errno : 0; }
int posix_fallocate64(int descriptor, off64_t from, off64_t size) { return sized(descriptor, size, from) ? errno : 0; }
int truncate(const char *path, off_t size) {
    int descriptor = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    int result = sized(descriptor, size, -1), kept = errno;
    syscall(SYS_close, descriptor);
    errno = kept;
    return result;
}
int truncate64(const char *path, off64_t size) { return truncate(path, size); }

/* Modes: noted, and never hit */

int fchmod(int descriptor, mode_t mode) {
    char path[PATH_MAX];
    int ours = in_use() && path_of(descriptor, path);
    if (ours) enter();
    int result = (int)syscall(SYS_fchmod, descriptor, mode);
    if (ours && !result) note(N_MODE, inode_of(descriptor), mode & 0777, path, strlen(path), NULL, 0);
    if (ours) leave(NOTHING);
    return result;
}

/* Names */

static int named(int kind, long number, const char *from, const char *to, long a, long b, long c, long d, long e) {
    enter();
    enum act act = fate(NAME, from);
    int result = REFUSED(act) ? -1 : (int)syscall(number, a, b, c, d, e);
    struct stat found;
    int64_t inode = kind == N_MKDIR && !result && !lstat(from, &found) ? (int64_t)found.st_ino : 0;
    if (!result) note(kind, inode, 0, from, strlen(from), to, to ? strlen(to) : 0);
    leave(act);
    return result;
}

int renameat(int a, const char *from, int b, const char *to) {
    char old[PATH_MAX], new[PATH_MAX];
    if (!in_use() || !absolute(a, from, old) || !absolute(b, to, new)) return syscall(SYS_renameat2, a, from, b, to, 0);
    return named(N_RENAME, SYS_renameat2, old, new, a, (long)from, b, (long)to, 0);
}
int rename(const char *from, const char *to) { return renameat(AT_FDCWD, from, AT_FDCWD, to); }
int linkat(int a, const char *from, int b, const char *to, int flags) {
    char old[PATH_MAX], new[PATH_MAX];
    if (!in_use() || !absolute(a, from, old) || !absolute(b, to, new)) return syscall(SYS_linkat, a, from, b, to, flags);
    return named(N_LINK, SYS_linkat, old, new, a, (long)from, b, (long)to, flags);
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }
int unlinkat(int folder, const char *name, int flags) {
    char path[PATH_MAX];
    if (!in_use() || !absolute(folder, name, path)) return syscall(SYS_unlinkat, folder, name, flags);
    return named(flags & AT_REMOVEDIR ? N_RMDIR : N_UNLINK, SYS_unlinkat, path, NULL, folder, (long)name, flags, 0, 0);
}
int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }
int rmdir(const char *name) { return unlinkat(AT_FDCWD, name, AT_REMOVEDIR); }
int mkdirat(int folder, const char *name, mode_t mode) {
    char path[PATH_MAX];
    if (!in_use() || !absolute(folder, name, path)) return syscall(SYS_mkdirat, folder, name, mode);
    return named(N_MKDIR, SYS_mkdirat, path, NULL, folder, (long)name, mode, 0, 0);
}
int mkdir(const char *name, mode_t mode) { return mkdirat(AT_FDCWD, name, mode); }

/* The clock of the day */

int clock_gettime(clockid_t clock, struct timespec *now) {
    static __typeof__(&clock_gettime) real;
    if (!real) real = REAL(clock_gettime);
    int result = real(clock, now);
    if (!result && clock == CLOCK_REALTIME && control && control->clock) {
        int64_t ahead = now->tv_sec * 1000000000LL + now->tv_nsec + control->clock;
        now->tv_sec = ahead / 1000000000LL;
        now->tv_nsec = ahead % 1000000000LL;
    }
    return result;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec found;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &found)) return -1;
    now->tv_sec = found.tv_sec;
    now->tv_usec = found.tv_nsec / 1000;
    return 0;
}
time_t time(time_t *into) {
    struct timespec found;
    clock_gettime(CLOCK_REALTIME, &found);
    if (into) *into = found.tv_sec;
    return found.tv_sec;
}

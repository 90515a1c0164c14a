# The first process of a set of namespaces (run by `unshare ... sh -c`). Standard input is the lifeline: a pipe whose
# write end only the owner holds. When that closes, however the owner ended, this ends, and the kernel ends all inside.
# shellcheck shell=sh
set -eu

# The outer /proc still stands here, so this is the pid that the owner knows this process by.
read -r pid _ </proc/self/stat

mount -t proc proc /proc
# A fresh sysfs shows this network namespace's devices. Where the kernel refuses one (a masked /sys), the old one stays.
mount -t sysfs sysfs /sys 2>/dev/null || true
if [ -z "${TESTBED_HOSTNAME-}" ]; then
    # On the machine's network the machine's resolver is wanted, and resolv.conf is often a link into /run.
    resolv=$(cat /etc/resolv.conf 2>/dev/null || true)
    resolv_file=$(readlink -m /etc/resolv.conf)
fi
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /dev/shm # Podman's lock segment: shared, it clashes between hosts
mount -t tmpfs -o mode=1777 tmpfs /var/tmp
# crun refuses a hybrid hierarchy; a pure cgroup2 view of our own cgroup namespace is always consistent.
mount -t cgroup2 cgroup2 /sys/fs/cgroup
# Read-only: its root is the machine's own group that we were started in. Podman as root would make a group "init" there,
# for root alone, and move every process of that group into it (containers/common, MaybeMoveToSubCgroup).
mount -o remount,bind,ro /sys/fs/cgroup
over=/run/testbed/over
mkdir -p /run/netns /run/lock /run/testbed/home /run/testbed/networks \
    $over/etc/upper $over/etc/work $over/var/lib/upper $over/var/lib/work $over/var/cache/upper $over/var/cache/work

# cover FOLDER: what is written there from now on goes into memory and not onto the machine
cover() {
    mount -t overlay -o "lowerdir=$1,upperdir=$over$1/upper,workdir=$over$1/work" overlay "$1"
}
# Podman keeps notes there whatever its settings say (blob-info-cache, locks of short names). Not where the images are.
# Where something is mounted below, as a running container of the machine's own Podman is, the kernel refuses an overlay
# to an ordinary user (fs/namespace.c, clone_private_mount: EINVAL): then the folder is hidden.
for folder in /var/lib /var/cache; do
    case "$TESTBED_CACHE_FOLDER/" in
    "$folder"/*) ;;
    *) cover "$folder" 2>/dev/null || mount -t tmpfs -o mode=755 tmpfs "$folder" ;;
    esac
done
# Who is root here is sent there by Podman for signatures of what it pulls (containers/image docker/registries_d.go), and
# gives up where the machine's root lets nobody look, as he does once he has used Podman himself.
if [ -d /var/lib/containers ] && [ ! -x /var/lib/containers ]; then
    mount -t tmpfs -o mode=755 tmpfs /var/lib/containers
fi
printf %s "$TESTBED_CONTAINERS_CONF" >/run/testbed/containers.conf
printf %s "$TESTBED_STORAGE_CONF" >/run/testbed/storage.conf

if [ -n "${TESTBED_HOSTNAME-}" ]; then
    # An /etc of its own: hosts and resolv.conf may be missing, or links into the machine's /run. Where something is
    # mounted on a file of it, as in a container, an ordinary user gets a copy of what can be read. A folder of the
    # machine's belongs to nobody in a user namespace; one that stands in the upper layer first is the host's own.
    mkdir -p $over/etc/upper/containers
    cover /etc 2>/dev/null || {
        cp -a /etc/. $over/etc/upper 2>/dev/null || true
        mount --bind $over/etc/upper /etc
    }
    rm -f /etc/resolv.conf /etc/hosts
    printf %s "$TESTBED_HOSTS_FILE" >/etc/hosts
    printf %s "$TESTBED_RESOLV_CONF" >/etc/resolv.conf
    if [ -n "$TESTBED_SECCOMP_PROFILE" ]; then
        # Podman's default profile is looked for here first; one named in containers.conf would bind privileged
        # containers too (podman pkg/specgen/generate/security_linux.go).
        printf %s "$TESTBED_SECCOMP_PROFILE" >/etc/containers/seccomp.json
    fi
    hostname "$TESTBED_HOSTNAME"
    printf %s "$TESTBED_IP_BATCH" | ip -batch -
    # Every ICMP answer is evidence here: none may fall to the rate limit (icmp(7)).
    echo 0 >/proc/sys/net/ipv4/icmp_ratelimit
    echo 1 >/proc/sys/net/ipv4/ip_forward
    # Addresses must be usable at once, and nothing may be learned from the network.
    if [ -d /proc/sys/net/ipv6 ]; then
        echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
        echo 0 >/proc/sys/net/ipv6/conf/default/accept_ra
    fi
fi
if [ -z "${TESTBED_HOSTNAME-}" ] && [ ! -e /etc/resolv.conf ]; then
    mkdir -p "$(dirname "$resolv_file")"
    printf '%s\n' "$resolv" >"$resolv_file"
fi
unset TESTBED_CACHE_FOLDER TESTBED_CONTAINERS_CONF TESTBED_STORAGE_CONF TESTBED_SECCOMP_PROFILE TESTBED_HOSTS_FILE TESTBED_RESOLV_CONF TESTBED_IP_BATCH
cd /

# Podman takes itself for rootless where /proc/self/uid_map does not hold every id (containers/storage pkg/unshare,
# hasFullUsersMappings), and then names another address host.containers.internal and, from 5.0, hides podman0 in a
# namespace of its own. On a host of its own it is root: it is shown a whole map. The mount goes with its process.
if [ -n "${TESTBED_HOSTNAME-}" ] && ! grep -q 4294967295 /proc/self/uid_map && podman=$(command -v podman); then
    mkdir /run/testbed/bin
    echo "0 0 4294967295" >/run/testbed/uid_map
    printf '#!/bin/sh\nmount --bind /run/testbed/uid_map /proc/$$/uid_map && exec %s "$@"\n' "$podman" >/run/testbed/bin/podman
    # When a container ends, conmon runs the podman it was told of, which is the real one: it would take itself for
    # rootless and leave the container's rules and namespace. It is told of ours.
    cat >/run/testbed/bin/conmon <<END
#!/bin/sh
last=
for word; do
    shift
    case \$last in --exit-command) word=/run/testbed/bin/podman ;; esac
    set -- "\$@" "\$word"
    last=\$word
done
exec $(command -v conmon || echo /usr/libexec/podman/conmon) "\$@"
END
    sed -i 's|^\[engine\]$|&\nconmon_path = ["/run/testbed/bin/conmon"]|' /run/testbed/containers.conf
    chmod 755 /run/testbed/bin/podman /run/testbed/bin/conmon
    # As root, Podman 5 tries overlayfs out without the userxattr that storage.conf asks for, and gives up: a user
    # namespace has no trusted. attributes (EIO). It believes its own note that the trial went well
    # (containers/storage drivers/overlay, checkAndRecordOverlaySupport).
    mkdir -p /run/testbed/runroot/overlay
    : >/run/testbed/runroot/overlay/overlay-true
fi

if [ -n "${TESTBED_SERVICE-}" ]; then
    podman system service --time=0 "unix://$TESTBED_SERVICE" </dev/null >/run/testbed/podman.log 2>&1 &
fi

echo "ready $pid"
# Nothing inside may hold the owner's pipes, or whoever reads them to their end waits for ever.
exec >/run/testbed/init.log 2>&1
exec catatonit -- sh -c 'read -r _'

# Makes an ordinary user of a private host who can run a Podman of its own; run once, as root of that host.
#
# usage: sh -c THIS sh NAME UID FIRST COUNT HOME STORE     FIRST, COUNT: its subordinate ids (subuid(5))
# shellcheck shell=sh
set -eu
name=$1 uid=$2 first=$3 count=$4 home=$5 store=$6
runtime=/run/user/$uid

# Containers of a user are mounted below a copy of this mount namespace, and Podman asks for a shared root for that.
mount --make-rshared /
mkdir -p "$home/bin" "$home/images" "$home/over/upper" "$home/over/work" "$home/networks" "$home/storage" "$home/proc" "$runtime"

# A container's /proc may be mounted only where one that hides nothing is seen already (fs/namespace.c,
# mnt_already_visible), and in an ordinary user's host the service's uid_map lies over a file of /proc.
mount -t proc proc "$home/proc"

# Distributions open it to all (systemd rules.d/50-udev-default.rules); where a machine does not, root makes one.
if [ "$(stat -c %a /dev/net/tun)" != 666 ]; then
    mknod -m 666 "$home/tun" c 10 200
    mount --bind "$home/tun" /dev/net/tun
fi

# first_line FILE LINE: ours is found before the machine's own. /etc is this host's, but its files may be nobody's.
first_line() {
    printf '%s\n' "$2" >"$1.new"
    [ ! -r "$1" ] || cat "$1" >>"$1.new"
    chmod 644 "$1.new"
    mv "$1.new" "$1"
}
first_line /etc/passwd "$name:x:$uid:$uid::$home:/bin/sh"
first_line /etc/group "$name:x:$uid:"
first_line /etc/subuid "$name:$first:$count"
first_line /etc/subgid "$name:$first:$count"

# The setuid bit of a file counts only where its owner is mapped and its file system belongs to this user namespace or
# one above (fs/exec.c, mnt_may_suid): in an ordinary user's host that is the tmpfs of its own.
cp "$(command -v newuidmap)" "$(command -v newgidmap)" "$home/bin"
chmod 4755 "$home/bin/newuidmap" "$home/bin/newgidmap"

# The images as this user may see them: over the real ones, which are root's and closed to others. Folders belong to
# the user as far down as Podman takes over their owner and puts its own files; what is below is nobody's, and only read.
if [ -n "$store" ]; then
    mount -t overlay -o "lowerdir=$store,upperdir=$home/over/upper,workdir=$home/over/work" overlay "$home/images"
    cd "$home/images"
    chmod -R a+rX overlay-images overlay-layers
    chmod a+rx overlay overlay/*
    find overlay -maxdepth 3 -type d -exec chown "$uid:$uid" {} +
    cd /
fi

chmod 700 "$runtime"
chown -R "$uid:$uid" "$runtime" "$home/networks" "$home/storage"
chown "$uid:$uid" "$home"

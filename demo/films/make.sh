#!/bin/sh
# Makes the demo's film with ffmpeg: 24 seconds of a sunrise without sound, its poster, and the same film as HLS in two sizes.
# The files are committed, so that nothing of this project needs ffmpeg.
set -e
cd "$(dirname "$0")"
mkdir -p sunrise
sun="lt(hypot(X-W/2,Y-H*(1-0.75*T/24)),H/7)*lt(Y,H*0.8)"
sky="geq=
  r='if($sun,250,if(lt(Y,H*0.8),30+150*T/24*Y/H,20+20*T/24))':
  g='if($sun,205,if(lt(Y,H*0.8),40+130*T/24*(1-Y/H)+40*T/24,30+60*T/24))':
  b='if($sun,90,if(lt(Y,H*0.8),80+150*T/24*(1-Y/H),50+20*T/24))'"
film="-f lavfi -i color=black:s=480x270:r=10:d=24"
h264="-c:v libx264 -preset veryslow -profile:v baseline -pix_fmt yuv420p -bf 0 -g 40 -sc_threshold 0"
ffmpeg -v error -y $film -vf "$sky" $h264 -crf 35 -movflags +faststart -fflags +bitexact sunrise.mp4
ffmpeg -v error -y -ss 20 -i sunrise.mp4 -frames:v 1 -q:v 6 -fflags +bitexact sunrise.jpg
# Names without folders: each part is /files/{id of the film}/{name}. Parts as fMP4: tools of this project take .ts for TypeScript.
ffmpeg -v error -y -i sunrise.mp4 -filter_complex "[0:v]split[a][b];[a]scale=480:270[high];[b]scale=192:108[low]" \
  -map "[low]" -map "[high]" $h264 -crf:v:0 36 -crf:v:1 36 -maxrate:v:0 60k -bufsize:v:0 120k -maxrate:v:1 240k -bufsize:v:1 480k \
  -f hls -hls_time 4 -hls_playlist_type vod -hls_flags independent_segments -master_pl_name master.m3u8 \
  -var_stream_map "v:0,name:low v:1,name:high" -hls_segment_type fmp4 -hls_fmp4_init_filename "%v.mp4" -hls_segment_filename "sunrise/%v%d.m4s" "sunrise/%v.m3u8"
